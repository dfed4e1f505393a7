// What a run of packets of one user draws on its quota: read when the run begins and charged when
// it ends, so that a packet costs a subtraction. Of what passes beyond a quota that is a burst of
// each worker at most.
#pragma once

#include <cstdint>

#include "dataplane/burst.h"
#include "dataplane/tables/user.h"

namespace wirelay::dataplane::stages {

/// Lives for one burst of one direction.
class QuotaTab {
 public:
  QuotaTab(UserTable& users, Way way) noexcept : users_(users), way_(way) {}
  ~QuotaTab() { settle(); }
  QuotaTab(const QuotaTab&) = delete;
  QuotaTab& operator=(const QuotaTab&) = delete;

  /// Nothing is left for the next packet, of this user; `flags` are its.
  bool spent(uint32_t user, uint8_t flags) noexcept {
    if (user != user_) {
      settle();
      user_ = user;
      left_ = users_.quota(user).left(way_, flags);
    }
    return left_ <= 0;
  }
  /// The packet passes; behind spent().
  void charge(uint32_t bytes) noexcept {
    charged_ += bytes;
    left_ -= bytes;
  }

 private:
  void settle() noexcept {
    if (charged_ == 0) return;
    users_.quota(user_).charge(way_, charged_);
    charged_ = 0;
  }

  UserTable& users_;
  const Way way_;
  uint32_t user_ = kNobody;
  int64_t left_ = 0;
  uint64_t charged_ = 0;  // not yet told to the quota
};

}  // namespace wirelay::dataplane::stages

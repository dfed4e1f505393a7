// user.*: accounts and their limits.
#include <algorithm>
#include <array>

#include "ctrl/api/method.h"
#include "ctrl/api/params.h"
#include "ctrl/api/render.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/users/spec_json.h"

namespace wirelay::ctrl::api {

namespace {

/// A user's status sums up its peers: a page of users ends behind so many of them.
constexpr size_t kMaxPagePeers = 20'000;

Begun add_users(const Json::Value& params) { return read_steps(params, "users", read_user); }

Begun set_users(const Json::Value& params) { return read_steps(params, "users", read_user_change); }

Begun rename_users(const Json::Value& params) {
  return std::vector<Step>{{RenameUsers{read_renamings(params, "users")}, "params"}};
}

Begun remove_users(const Json::Value& params) { return read_removals<RemoveUser>(params); }

Begun reset_quotas(const Json::Value& params) { return read_removals<ResetQuota>(params); }

class OneUser : public Query {
 public:
  explicit OneUser(std::string name) : name_(std::move(name)) {}

  bool collect(const RelayFace& relay, const Slice& slice) override {
    if (!user_.spec) user_.spec = relay.registry().user(name_);
    if (!user_.spec) throw ApiError(kNotFound, "there is no user " + in_quotes(name_));
    if (!summed_ && !sum_.run(relay, user_, slice)) return false;
    summed_ = true;
    const auto& names = relay.registry().peers_of(name_);
    auto next = peers_.empty() ? names.begin() : names.upper_bound(peers_.back().spec->name);
    while (next != names.end() && peers_.size() < kMaxPage) {
      peers_.push_back({relay.registry().peer(*next), relay.peer_status(*next)});
      if (++next != names.end() && slice.over()) return false;
    }
    more_ = next != names.end();
    return true;
  }

  [[nodiscard]] size_t entries() const override { return 1 + peers_.size(); }
  [[nodiscard]] Json::Value result() const override {
    Json::Value result = user_entry(user_);
    Json::Value& peers = result["peers"] = Json::arrayValue;
    for (const PeerView& peer : peers_) peers.append(peer_entry(peer, PresharedKey::kHide));
    if (more_) result["peers_next"] = peers_.back().spec->name;  // peer.list goes on from there
    return result;
  }

 private:
  const std::string name_;
  UserView user_;
  UserSum sum_;
  bool summed_ = false, more_ = false;
  std::vector<PeerView> peers_;
};

class PageOfUsers : public Query {
 public:
  explicit PageOfUsers(Page page) : page_(std::move(page)) {}

  bool collect(const RelayFace& relay, const Slice& slice) override {
    if (!begun_) begin(relay.registry());
    while (summed_ < users_.size()) {
      if (!sum_.run(relay, users_[summed_], slice)) return false;
      peers_ += users_[summed_++].status.peers;
      if (peers_ >= kMaxPagePeers && summed_ < users_.size()) {
        users_.resize(summed_);
        more_ = true;
      } else if (slice.over()) {
        return summed_ == users_.size();
      }
    }
    return true;
  }

  [[nodiscard]] size_t entries() const override { return users_.size(); }
  [[nodiscard]] Json::Value result() const override {
    return page_json("users", users_, user_entry, more_, total_);
  }

 private:
  void begin(const Registry& registry) {
    begun_ = true;
    total_ = registry.user_count();
    for (const UserPtr& user : registry.users_after(page_.after, page_.limit + 1)) {
      users_.push_back({user, {}});
    }
    more_ = cut_page(users_, page_.limit);
  }

  const Page page_;
  bool begun_ = false, more_ = false;
  size_t total_ = 0, summed_ = 0, peers_ = 0;
  std::vector<UserView> users_;
  UserSum sum_;
};

Begun get_user(const Json::Value& params) {
  return std::make_shared<OneUser>(read_only_name(params));
}

Begun list_users(const Json::Value& params) {
  Params fields(params);
  Page page = read_page(fields);
  fields.finish();
  return std::make_shared<PageOfUsers>(std::move(page));
}

constexpr std::array kUserMethods = {
    Method{"user.add", add_users, R"({"users": [USER, ...]} or USER)",
           "adds users, with their peers; all or none"},
    Method{"user.set", set_users, R"({"users": [USER, ...]} or USER)",
           "changes the fields that are named, live; all or none"},
    Method{"user.rename", rename_users,
           R"({"users": [{"name": NAME, "to": NAME}, ...]} or {"name": NAME, "to": NAME})",
           "gives users other names, all at once; all or none"},
    Method{"user.remove", remove_users, R"({"names": [NAME, ...]} or {"name": NAME})",
           "removes users and their peers at once; all or none"},
    Method{"user.reset_quota", reset_quotas, R"({"names": [NAME, ...]} or {"name": NAME})",
           "has their quotas begin anew; all or none"},
    Method{"user.get", get_user, R"({"name": NAME})", "a user, its peers, what it carried"},
    Method{"user.list", list_users, R"({"after": NAME, "limit": 1 to 1000})",
           "a page of users in the order of their names; next is null on the last"},
};

}  // namespace

std::span<const Method> user_methods() { return kUserMethods; }

}  // namespace wirelay::ctrl::api

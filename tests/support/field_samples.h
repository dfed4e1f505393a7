// Values for tests that go over the lists of fields: each differs from what the field holds when it
// is not named.
#pragma once

#include <algorithm>
#include <string>

#include "ctrl/base/peer_fields.h"
#include "ctrl/base/user_fields.h"

namespace wirelay::test {

inline uint64_t sample_of(const ctrl::UserFieldInfo& field) {
  if (field.kind.form == ctrl::ValueForm::kSwitch) return field.value == 0 ? 1 : 0;
  if (field.kind.form == ctrl::ValueForm::kWord) return field.kind.most;
  return std::min(3 * field.kind.least, field.kind.most);
}

/// As it is given to relayctl.
inline std::string sample_of(const ctrl::PeerFieldInfo& field) {
  switch (field.form) {
    case ctrl::PeerForm::kKey:
    case ctrl::PeerForm::kSecret:
      return "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    case ctrl::PeerForm::kPrefixes:
      return "10.9.0.0/24";
    case ctrl::PeerForm::kEndpoint:
      return "192.0.2.9:900";
    case ctrl::PeerForm::kSeconds:
      return "17";
  }
  return {};
}

}  // namespace wirelay::test

// Fuzzes what comes by the socket of `wg`: whatever a request says, the steps that are made of it
// name each peer once, and are taken as a whole or refused as a whole.
#include <cstdlib>
#include <set>
#include <string>

#include "ctrl/base/problem.h"
#include "ctrl/wg/steps.h"
#include "tests/support/fake_relay.h"

using namespace wirelay;

namespace {

/// Two users; the first has two peers.
class WgRelay : public test::FakeRelay {
 public:
  WgRelay() : FakeRelay(100) {
    observer.recording = false;
    ctrl::AddUser user;
    ctrl::AddPeer peer;
    for (const char* name : {"alice", "wg"}) {
      user.spec.name = name;
      apply({{user, ""}});
    }
    for (const uint8_t seed : {1, 2}) {
      peer.spec.name = "p" + std::to_string(seed);
      peer.spec.user = "alice";
      peer.spec.public_key.fill(seed);
      peer.spec.allowed_ips = {*dataplane::parse_prefix("10.1.0." + std::to_string(seed))};
      apply({{peer, ""}});
    }
  }
};

std::string name_of(const ctrl::Change& change) {
  if (const auto* add = std::get_if<ctrl::AddPeer>(&change)) return add->spec.name;
  if (const auto* set = std::get_if<ctrl::SetPeer>(&change)) return set->change.name;
  return std::get<ctrl::RemovePeer>(change).name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  WgRelay relay;
  try {
    const ctrl::wg::DeviceRequest request = ctrl::wg::read_request(text);
    const auto steps = ctrl::wg::steps_of(relay.registry(), request, {{}, 51820, "wg"});
    std::set<std::string> names;
    for (const ctrl::Step& step : steps) {
      if (!names.insert(name_of(step.change)).second) abort();
    }
    relay.apply(steps);
  } catch (const ctrl::Refused&) {
  }
  return 0;
}

// Fuzzes the API: whatever a client sends, each line gets at most one line of JSON, and a request
// that is answered with an error has changed nothing.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "crypto/keys.h"
#include "ctrl/base/json.h"
#include "tests/support/fake_relay.h"

using namespace wirelay;

namespace {

constexpr uint32_t kRoom = 100;  // users: a long run must not fill the memory

void check_reply(const std::string& reply) {
  if (reply.empty()) return;
  if (std::ranges::count(reply, '\n') != 1 || !reply.ends_with('\n')) std::abort();
  ctrl::parse_json(reply, {reply.size(), 64, false});  // throws, and so aborts, when it is none
}

size_t size_of(const ctrl::Registry& registry) {
  return registry.user_count() + registry.peer_count();
}

void answer(test::FakeRelay& relay, std::string_view line) {
  const size_t before = size_of(relay.registry());
  const std::string reply = relay.answer(line);
  check_reply(reply);
  const bool refused = reply.starts_with("{\"error\"");
  if (refused && size_of(relay.registry()) != before) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool started = (crypto::init_crypto(), true);
  static_cast<void>(started);
  test::FakeRelay relay(kRoom);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    answer(relay, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return 0;
}

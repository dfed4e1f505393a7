// The fake relay's answers.
#include "tests/support/fake_relay.h"

#include <cstring>
#include <tuple>
#include <type_traits>

#include "ctrl/store/schema.h"

namespace wirelay::test {

using namespace ctrl;

namespace {

dataplane::Prefix prefix(const char* text) { return *dataplane::parse_prefix(text); }

RegistryLimits limits(uint32_t users) {
  RegistryLimits limits{users, users, 2 * users, {prefix("10.77.0.1/32"), prefix("fd77::1/128")}};
  limits.ipv6 = false;  // as of the port below
  return limits;
}

Config small_config() {
  Config config;
  PortConfig port;
  port.name = "wan";
  port.device = "net_fake0";
  port.addresses = {{*dataplane::parse_ip("198.51.100.1"), prefix("198.51.100.0/24")}};
  config.ports = {port};
  config.client_dns = {"10.77.0.1"};
  config.worker_cores = {1};
  return config;
}

}  // namespace

crypto::PublicKey test_key(uint32_t seed) {
  crypto::PublicKey key{};
  key.fill(0x5a);
  std::memcpy(key.data(), &seed, sizeof seed);
  return key;
}

FakeRelay::FakeRelay(uint32_t users)
    : running(small_config()), registry_(limits(users)), public_key_(test_key(0)) {}

bool RecordingObserver::tell(const ChangeEvent& event) {
  if (!recording) return true;
  const auto [noun, before, after, name] = std::visit(
      [](const auto& e) {
        constexpr bool kUser = std::is_same_v<std::decay_t<decltype(e)>, UserEvent>;
        return std::tuple<std::string, bool, bool, std::string>(
            kUser ? "user" : "peer", e.before != nullptr, e.after != nullptr,
            (e.after ? e.after : e.before)->name);
      },
      event);
  heard.push_back(noun + (!before ? '+' : !after ? '-' : '~') + ' ' + name);
  return true;
}

std::string FakeRelay::answer(std::string_view line, const api::ExchangeLimits& limits,
                              api::Right right) {
  const api::Desk desk{loop, *this, events, right};
  const auto exchange = std::make_shared<api::Exchange>(desk, line, limits, Caller{}, [] {});
  while (!exchange->done()) {
    exchange->step();
    event_base_loop(loop.base(), EVLOOP_NONBLOCK);
  }
  return exchange->take_reply();
}

void FakeRelay::collect(Work work) {
  on_collect();
  while (!work(*this, Slice(std::chrono::nanoseconds(0)))) continue;
}

void FakeRelay::change(ChangeRequest request, Door::Done done) {
  done(pass_at_once(registry_, observer, nullptr, request));
}

void FakeRelay::apply(std::vector<Step> steps) {
  ChangeRequest request;
  request.steps = std::move(steps);
  change(std::move(request), [](const ChangeOutcome& outcome) {
    if (outcome.error) std::rethrow_exception(outcome.error);
  });
}

void FakeRelay::reload(const ReloadOptions& options, Reloader::Done done) {
  reload_options = options;
  if (slow_reload) {
    reloading.push_back(std::move(done));
    return;
  }
  ReloadOutcome outcome;
  try {
    if (on_reload) outcome = on_reload();
  } catch (...) {
    outcome.error = std::current_exception();
  }
  done(outcome);
}

std::vector<crypto::EngineInfo> FakeRelay::engines() const {
  return {{"ipsec-mb", true, "fastest usable engine"}, {"sodium", true, "reference"}};
}

PortStatus FakeRelay::port(size_t) const {
  PortStatus port;
  port.name = "wan";
  port.device = "net_fake0";
  port.mac = "02:00:00:00:00:01";
  port.link_up = true;
  port.mtu = mtu;
  port.role = "both";
  port.driver = "net_i40e";
  port.hash = {"ip", "udp"};
  port.offloads = {"rx_ipv4_cksum", "tx_mbuf_fast_free"};
  port.rx_queues = port.tx_queues = 2;
  port.rx_descriptors = port.tx_descriptors = 4096;
  port.rx_missed = 1234;
  port.rx_packets = 1'234'567;
  port.rx_bytes = 1'200'000'000;
  return port;
}

std::vector<NeighbourStatus> FakeRelay::neighbours() const {
  return {{"wan", *dataplane::parse_ip("198.51.100.254"), "02:00:00:00:00:fe", "resolved"}};
}

void FakeRelay::back_up(const std::string& file,
                        std::function<void(std::exception_ptr error)> done) {
  try {
    if (!kept) throw StoreError("the relay keeps nothing");
    copy_to(*kept, file);
    done(nullptr);
  } catch (...) {
    done(std::current_exception());
  }
}

UserStatus FakeRelay::user_status(const std::string&) const { return {}; }

PeerStatus FakeRelay::peer_status(const std::string& name) const {
  const auto found = peer_statuses.find(name);
  return found == peer_statuses.end() ? PeerStatus{} : found->second;
}

}  // namespace wirelay::test

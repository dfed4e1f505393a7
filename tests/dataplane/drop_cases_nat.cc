// Drops of what NAT44 translates, see drop_cases.h.
#include "tests/dataplane/drop_cases.h"
#include "tests/support/nat_lab.h"

namespace wirelay::test {

using namespace dataplane;

namespace {

/// A client has a port to go out with, and then this packet comes from outside.
auto behind_a_mapping(std::function<Bytes(const Endpoint& outside)> make) {
  return [make](DataPath& d) {
    Client c = d.add_client();
    d.feed(0, d.tunnelled(c, udp({c.inner4, 4000}, kServer, {})));
    d.poll();
    const Bytes sent = parse_frame(d.sent(1).at(0)).payload;
    d.feed(1, d.from_gateway(make(ends_of(sent).from)));
    d.poll();
  };
}

/// A client sends from so many ports.
auto from_ports(uint16_t count) {
  return [count](DataPath& d) {
    Client c = d.add_client();
    for (uint16_t port = 1; port <= count; ++port) {
      d.feed(0, d.tunnelled(c, udp({c.inner4, port}, kServer, {})));
      d.poll();
    }
  };
}

}  // namespace

void add_nat_cases(std::vector<DropCase>& cases) {
  const auto add = [&](Drop drop, const char* what, std::function<void(DataPath&)> provoke,
                       const NatSettings& settings = nat_settings()) {
    DataPathOptions options;
    options.nat = settings;
    cases.push_back({drop, what, std::move(provoke), options});
  };
  NatSettings filtering = nat_settings(), few = nat_settings(), small = nat_settings(),
              poor = nat_settings();
  filtering.filtering = NatFiltering::kAddressAndPortDependent;
  few.each.flows = 10;
  small.flows = 10;
  poor.pools = {prefix("198.51.100.64")};
  poor.block_ports = 4096;
  const Endpoint stranger{kServer4, 77};

  add(Drop::kNatNoMapping, "a port that nobody has", behind_a_mapping([=](const Endpoint& outside) {
        return udp(stranger, {outside.addr, static_cast<uint16_t>(outside.port ^ 1)}, {});
      }));
  add(Drop::kNatFiltered, "from who was not asked",
      behind_a_mapping([=](const Endpoint& outside) { return udp(stranger, outside, {}); }),
      filtering);
  add(Drop::kNatProtocol, "from outside", behind_a_mapping([](const Endpoint& outside) {
        return ip(kServer4, outside.addr, 47, pattern(40));
      }));
  add(Drop::kNatProtocol, "from inside",
      tunnelled([](const Client& c) { return ip(c.inner4, kServer4, 47, pattern(40)); }));
  add(Drop::kNatMalformed, "too short", behind_a_mapping([](const Endpoint& outside) {
        return ip(kServer4, outside.addr, kTcp, pattern(12));
      }));
  add(Drop::kNatPorts, "both blocks are full", from_ports(129));
  add(Drop::kNatFlows, "as many as a user may have", from_ports(11), few);
  add(Drop::kNatTableFull, "as many as a worker may have", from_ports(11), small);
  add(
      Drop::kNatNoBlock, "fifteen users have an address",
      [](DataPath& d) {
        for (int i = 0; i < 16; ++i) from_ports(1)(d);
      },
      poor);
  add(Drop::kNatBlockAwaited, "at once", [](DataPath& d) {
    Client c = d.add_client();
    for (uint16_t port = 1; port <= 40; ++port) {
      d.feed(0, d.tunnelled(c, udp({c.inner4, port}, kServer, {})));
    }
    d.poll();
  });
}

}  // namespace wirelay::test

// Drops of what goes out, and of full rings; see drop_cases.h.
#include <cstring>

#include "crypto/wire.h"
#include "tests/dataplane/drop_cases.h"

namespace wirelay::test {

using namespace dataplane;

void add_outbound_cases(std::vector<DropCase>& cases) {
  const auto to_client = [](std::function<void(DataPath&, Client&)> change, size_t bytes = 40,
                            int count = 1) {
    return [=](DataPath& d) {
      Client c = d.add_client();
      change(d, c);
      for (int i = 0; i < count; ++i)
        d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(bytes))));
      d.poll();
    };
  };
  cases.push_back({Drop::kIsolated, "between users", [](DataPath& d) {
                     d.shared->isolated = true;
                     Client a = d.add_client();
                     const Client b = d.add_client();
                     d.feed(0, d.tunnelled(a, udp({a.inner4, 1}, {b.inner4, 2}, {})));
                     d.poll();
                   }});
  cases.push_back({Drop::kNoEndpoint, "path unknown",
                   to_client([](DataPath& d, Client& c) { d.peers->set_path(c.peer, nullptr); })});
  cases.push_back(
      {Drop::kNoSession, "no session, and no more may wait",
       to_client([](DataPath& d, Client& c) { d.peers->set_current(c.peer, 0); }, 40, 200)});
  cases.push_back({Drop::kNoSession, "session expired, and no more may wait",
                   to_client([](DataPath& d, Client&) { d.now += 180 * DataPath::kHz; }, 40, 200)});
  cases.push_back(
      {Drop::kNoSession, "counter used up, and no more may wait",
       to_client(
           [](DataPath& d, Client& c) { d.session(c).send_counter = crypto::kRejectAfterMessages; },
           40, 200)});
  cases.push_back({Drop::kTooBig, "for the path", [](DataPath& d) {
                     const Client c = d.add_client();
                     d.feed(1, d.from_gateway(udp({kServer6, 2}, {c.inner6, 1}, pattern(1393))));
                     d.poll();
                   }});
  cases.push_back({Drop::kNoBuffer, "for its parts", [](DataPath& d) {
                     const Client c = d.add_client();
                     d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(1470))));
                     std::vector<rte_mbuf*> taken;
                     while (rte_mbuf* mbuf = rte_pktmbuf_alloc(d.pool)) taken.push_back(mbuf);
                     d.poll();
                     for (rte_mbuf* mbuf : taken) rte_pktmbuf_free(mbuf);
                   }});
  cases.push_back(
      {Drop::kLaneFull, "answers beside fragments", [](DataPath& d) {
         Client c = d.add_client();
         const Client other = d.add_client();
         const Bytes ping = echo_request(c.inner4, addr("10.0.0.1"), pattern(600));
         for (uint16_t i = 0; i < 12; ++i) {
           for (const Bytes& part : cut(ping, 400, i)) d.feed(0, d.tunnelled(c, part));
         }
         for (int i = 0; i < 40; ++i) {
           d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, {other.inner4, 2}, pattern(1470))));
         }
         d.poll();
       }});
  cases.push_back({Drop::kNoHeadroom, "no room in front", [](DataPath& d) {
                     const Client c = d.add_client();
                     const Bytes f = d.from_gateway(udp(kServer, {c.inner4, 1}, pattern(40)));
                     rte_mbuf* mbuf = d.make_mbuf(Bytes(1));
                     mbuf->data_off = 0;
                     mbuf->data_len = static_cast<uint16_t>(f.size());
                     mbuf->pkt_len = mbuf->data_len;
                     std::memcpy(rte_pktmbuf_mtod(mbuf, void*), f.data(), f.size());
                     d.ports[1]->feed(mbuf);
                     d.poll();
                   }});
  cases.push_back(
      {Drop::kNeighbourUnresolved, "gateway unresolved, and no more may wait", [](DataPath& d) {
         Client c = d.add_client();
         d.shared->adjacencies[DataPath::kGateway].mac_word = 0;
         for (int i = 0; i < 200; ++i) d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
         d.poll();
       }});
}

void add_ring_cases(std::vector<DropCase>& cases) {
  DataPathOptions small, two;
  small.sizes.punt_ring = 64;
  small.port_ring = 64;
  two.workers = two.queues = 2;
  two.sizes.handoff_ring = 64;
  cases.push_back({Drop::kPuntFull, "nobody takes the punts",
                   [](DataPath& d) {
                     const Client c = d.add_client();
                     d.peers->set_current(c.peer, 0);
                     for (int i = 0; i < 100; ++i) {
                       d.now += DataPath::kHz / 1000;  // as many as are allowed
                       d.feed(1, d.from_gateway(udp(kServer, {c.inner4, 1}, {})));
                       d.poll();
                     }
                   },
                   small});
  cases.push_back({Drop::kHandoffFull, "the owner is not there",
                   [](DataPath& d) {
                     Client c = d.add_client(false, 1);
                     for (int i = 0; i < 100; ++i)
                       d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                     while (d.workers[0]->poll(d.now) != 0) {
                     }
                     d.poll();
                   },
                   two});
  cases.push_back({Drop::kPortDown, "no link", [](DataPath& d) {
                     d.shared->ports_down = 1u << d.port(1).id;
                     Client c = d.add_client();
                     d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                     d.poll();
                   }});
  cases.push_back({Drop::kTransmitFull, "the queue is not emptied",
                   [](DataPath& d) {
                     Client c = d.add_client();
                     for (int i = 0; i < 100; ++i) {
                       d.feed(0, d.tunnelled(c, udp({c.inner4, 1}, kServer, {})));
                       d.poll();
                     }
                   },
                   small});
}

}  // namespace wirelay::test

// What relaygen says of itself.
#include "tools/relaygen/help.h"

#include <sstream>

namespace wirelay::relaygen {

namespace {

namespace po = boost::program_options;

po::typed_value<std::string>* text(const char* fallback = nullptr) {
  auto* value = po::value<std::string>();
  return fallback != nullptr ? value->default_value(fallback) : value;
}

po::options_description peers_options() {
  po::options_description all("Options");
  all.add_options()("count", text(), "number of peers (needed)")(
      "out", text(), "folder for the files, made when it is not there (needed)")(
      "prefix", text("10.64.0.0/10"),
      "their tunnel addresses are taken from here, from the third on; two prefixes, one of each "
      "family, give every peer both: 10.64.0.0/10,fd77::/64")(
      "peers-per-user", text("1"), "devices of each user")("preshared-keys",
                                                           "give every peer a preshared key")(
      "remote-private-key", text(),
      "file with the far end's private key (base64); without it "
      "remote.key in the folder, made when there is none")(
      "listen-port", text("51820"), "the far end's port in wg.conf")("help,h", "this text");
  return all;
}

po::options_description rig_options() {
  po::options_description all("Far end and ports");
  all.add_options()("peers", text(), "peers file, as `relaygen peers` writes it (needed)")(
      "remote-key", text(), "the far end's public key, or a file that holds it (needed)")(
      "endpoint", text(), "the far end's ADDRESS:PORT (needed)")(
      "tunnel-port", text(),
      "DPDK device towards the far end's WireGuard side: PCI address, or "
      "such as net_af_packet0,iface=veth1 (needed)")(
      "tunnel-ip", text(), "our addresses there with prefix length, one a family (needed)")(
      "tunnel-mac", text(), "our MAC address there, instead of the device's")(
      "tunnel-gateway", text(), "next hop towards the endpoint, when it is not on the link")(
      "tunnel-gateway-mac", text(), "its MAC address, instead of ARP or neighbour discovery")(
      "client-prefix", text(), "outer addresses of the clients; without it all use --tunnel-ip")(
      "plain-port", text(), "DPDK device towards the far end's plain side (modes up and down)")(
      "plain-ip", text(), "our addresses there with prefix length, one a family")(
      "plain-mac", text(), "our MAC address there, instead of the device's")(
      "plain-gateway", text(), "next hop towards the clients (mode down)")(
      "plain-gateway-mac", text(), "its MAC address, instead of ARP or neighbour discovery")(
      "users", text(), "how many users of the peers file, also a list (all)")(
      "tunnel-mtu", text("1420"), "MTU of the tunnel: padding of inner packets ends there")(
      "engine", text("auto"), "AEAD engine")("core", text("0"),
                                             "the core to run on, busy while packets flow")(
      "idle-sleep", text("0"),
      "microseconds to sleep when there is nothing to do, for a core "
      "that is shared")("huge-pages", text("auto"), "auto, yes or no")(
      "link-timeout", text("10"), "seconds to wait for a link and for neighbours")(
      "window", text("64"), "handshakes under way at a time")(
      "per-second", text("0"), "handshakes begun a second, 0: as many as the window lets")(
      "retry", text("5"), "seconds after which an unanswered initiation is repeated")(
      "give-up", text("90"), "seconds after which a client gives up")(
      "json", text(), "write the results to this file as JSON, - for standard output")(
      "verbose,v", "show what DPDK says")("help,h", "this text");
  return all;
}

void add_traffic(po::options_description& all) {
  all.add_options()("mode", text("up"),
                    "up (clients to plain side), down (plain side to clients), hub (client "
                    "to client); also a list")(
      "size", text("576"), "inner packet bytes, imix, or a mix such as 64:7+576:4; also a list")(
      "family", text("4"), "of the inner packets: 4, 6, or both (clients in turn)")(
      "target", text(), "addresses beyond the plain side, one a family (--plain-ip)")(
      "spread", text("round-robin"), "of packets over clients: round-robin, uniform, zipf")(
      "zipf-exponent", text("1"), "of zipf")(
      "duration", text("5"), "seconds of sending; making packets ahead comes on top")(
      "round", text("65536"), "packets made ahead of time, then sent at full speed")(
      "sample", text("64"), "decrypt every so many of the packets that come back sealed, 0: none")(
      "drain", text("0.1"), "seconds without a packet that end a round")("seed", text("1"),
                                                                         "of all that is random");
}

void add_search(po::options_description& all) {
  all.add_options()("loss-threshold", text("0"),
                    "share of packets that may be lost, such as 0.001")(
      "resolution", text("0.01"), "end when the rate is known within this share of it")(
      "tries", text("1"),
      "a rate has failed when so many trials in a row have: above 1 for a machine whose cores are "
      "not its own")("max-rate", text("max"), "never offer more than this");
}

void add_offered(po::options_description& all, const char* rate) {
  all.add_options()("rate", text(rate),
                    "packets a second (1.5M), inner IP bits a second (10Gbit), or max")(
      "max-loss", text("1"), "exit with 4 when a greater share is lost");
}

void add_storm(po::options_description& all) {
  po::options_description storm("Storm");
  storm.add_options()("kind", text("initiations"),
                      "initiations (of clients and of unknown keys), spoofed (mac1 is right, "
                      "nothing else, any address), or cookie-replies (to nobody)")(
      "offer", text("20K"),
      "messages a second, whatever is answered, or max; above what --duration needs they are sent "
      "from the beginning again")("unknown", text("0.5"),
                                  "share of initiations whose keys the far end does not know")(
      "newcomers", text("0"), "users behind --users who begin while it rages, after the traffic")(
      "waiting", text("0"), "users behind these who begin when it ends");
  all.add(storm);
}

void add_command(po::options_description& all, Command command) {
  if (command == Command::kHandshakes) return;
  po::options_description traffic("Traffic");
  if (command == Command::kReceive) {
    traffic.add_options()("duration", text("10"), "seconds of each count")(
        "sample", text("64"), "decrypt every so many packets, 0: none");
    all.add(traffic);
    return;
  }
  add_traffic(traffic);
  if (command == Command::kRun) {
    add_offered(traffic, "max");
    traffic.add_options()("packets", text("0"), "so many packets instead of a duration")(
        "full-ring", text("auto"),
        "packets that the port does not take: wait and offer them "
        "again, or drop and count as lost; auto: wait at rate max");
  } else if (command == Command::kStorm) {
    add_storm(all);
    add_offered(traffic, "1K");
  } else {
    add_search(traffic);
  }
  if (command == Command::kLatency) {
    traffic.add_options()("rate", text("max"), "the rate that is 100 %; max: search for it first")(
        "load", text("10,50,90"), "per cent of that rate");
  }
  all.add(traffic);
}

struct Text {
  const char* title;
  const char* examples;
};

constexpr const char* kRig =
    " \\\n      --peers /tmp/gen/peers.txt --remote-key /tmp/gen/remote.pub"
    " --endpoint 198.51.100.1:51820 \\\n"
    "      --tunnel-port net_af_packet0,iface=wan --tunnel-ip 198.51.100.254/24 \\\n"
    "      --plain-port net_af_packet1,iface=inet --plain-ip 192.0.2.1/24"
    " --plain-gateway 192.0.2.2";

Text text_of(Command command) {
  switch (command) {
    case Command::kPeers:
      return {
          "peers - make identities: a peers file for relaygen, wg.conf for `wg setconf`,\n"
          "users.json for `relayctl user add --file`",
          "  relaygen peers --count 1000 --out /tmp/gen\n"
          "  relaygen peers --count 100000 --out /tmp/gen --prefix 10.64.0.0/10,fd77::/64 "
          "--peers-per-user 4\n"};
    case Command::kRun:
      return {"run - bring the clients up, offer traffic, and tell what came out",
              "  relaygen run --mode up --size imix --rate max --duration 5@\n"
              "  relaygen run --mode down,hub --size 64,1420 --users 1,1000 --rate 100K@\n"};
    case Command::kSearch:
      return {
          "search - find the highest rate without loss (RFC 2544) for every mode, number of\n"
          "users and size",
          "  relaygen search --mode up,down --size 64,576,1420 --users 1,1000 --json s.json@\n"};
    case Command::kLatency:
      return {"latency - percentiles at shares of the highest rate without loss",
              "  relaygen latency --mode up --size 576@\n"
              "  relaygen latency --mode up --size 576 --rate 400K --load 10,50,90@\n"};
    case Command::kStorm:
      return {
          "storm - offer handshake messages whatever the far end answers, beside the traffic of\n"
          "clients that are connected; what came of both",
          "  relaygen storm --users 20 --mode hub --offer 20K --unknown 0.5 --waiting 10000 \\\n"
          "      --window 10000 --client-prefix 198.18.0.0/15@\n"
          "  relaygen storm --users 20 --mode hub --kind spoofed --offer max@\n"
          "  relaygen storm --users 20 --mode hub --kind cookie-replies --offer max "
          "--newcomers 8@\n"};
    case Command::kReceive:
      return {
          "receive - bring the clients up, keep their sessions, and count what another\n"
          "generator sends them through the far end",
          "  relaygen receive --duration 60@\n"};
    default:
      return {"handshakes - handshakes a second, and the time to bring all clients up",
              "  relaygen handshakes --users 1,1000 --window 128@\n"};
  }
}

}  // namespace

po::options_description described_options(Command command) {
  if (command == Command::kPeers) return peers_options();
  po::options_description all;
  add_command(all, command);
  all.add(rig_options());
  return all;
}

std::string overview() {
  return "relaygen - a traffic generator for anything that speaks WireGuard\n\n"
         "Usage: relaygen COMMAND [OPTIONS]\n\n"
         "  peers       make identities, and files that bring them to the far end\n"
         "  run         handshakes, then traffic; what came out: loss, duplicates, reordering,\n"
         "              corruption, rates\n"
         "  search      the highest rate without loss (RFC 2544)\n"
         "  latency     percentiles at shares of that rate\n"
         "  handshakes  handshakes a second\n"
         "  storm       floods of handshake messages, and what they do to connected clients\n"
         "  receive     count what another generator sends to the clients\n\n"
         "relaygen plays WireGuard clients on one DPDK port (tunnel) and the plain network on\n"
         "another (plain). \"relaygen COMMAND --help\" tells all options, with examples.\n\n"
         "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the far end does not answer, 4 packets\n"
         "came out corrupt, or more were lost than --max-loss allows.\n";
}

std::string help_of(Command command) {
  const Text about = text_of(command);
  std::string examples = about.examples;
  for (size_t at; (at = examples.find('@')) != std::string::npos;) {
    examples.replace(at, 1, kRig);
  }
  std::ostringstream out;
  out << "relaygen " << about.title << "\n\n"
      << described_options(command) << "\nExamples:\n"
      << examples;
  return out.str();
}

}  // namespace wirelay::relaygen

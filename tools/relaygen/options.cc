// Reading the command line with Boost.ProgramOptions.
#include "tools/relaygen/options.h"

#include <boost/program_options.hpp>
#include <fstream>
#include <sstream>

#include "tools/relaygen/failure.h"
#include "tools/relaygen/help.h"

namespace wirelay::relaygen {

namespace {

namespace po = boost::program_options;
using Strings = std::vector<std::string>;

const std::map<std::string, Command> kCommands = {
    {"peers", Command::kPeers},           {"run", Command::kRun},
    {"search", Command::kSearch},         {"latency", Command::kLatency},
    {"handshakes", Command::kHandshakes}, {"storm", Command::kStorm},
    {"receive", Command::kReceive}};

Command parse_command(const std::string& word) {
  const auto found = kCommands.find(word);
  if (found != kCommands.end()) return found->second;
  throw UsageError("\"" + word +
                   "\" is no command; expected peers, run, search, latency, handshakes, storm or "
                   "receive");
}

/// Values are kept as text, and read by values.h, whose errors say what was expected.
class Given {
 public:
  Given(Command command, const Strings& arguments) {
    const po::options_description known = described_options(command);
    try {
      const auto parsed = po::command_line_parser(arguments).options(known).run();
      refuse_words(parsed);
      po::store(parsed, values_);
    } catch (const po::error& error) {
      throw UsageError(error.what());
    }
  }

  [[nodiscard]] bool has(const char* option) const {
    return values_.count(option) != 0 && !text(option).empty();
  }
  [[nodiscard]] bool flag(const char* option) const { return values_.count(option) != 0; }

  [[nodiscard]] std::string text(const char* option) const {
    return values_.count(option) != 0 ? values_[option].as<std::string>() : std::string();
  }
  std::string needed(const char* option) const {
    if (!has(option)) throw UsageError("--" + std::string(option) + " is missing");
    return text(option);
  }
  [[nodiscard]] Strings list(const char* option) const {
    return has(option) ? split(text(option), ',') : Strings();
  }
  [[nodiscard]] uint64_t count(const char* option, uint64_t least, uint64_t greatest) const {
    return parse_count(option, text(option), least, greatest);
  }
  [[nodiscard]] double number(const char* option, double least, double greatest) const {
    return parse_number(option, text(option), least, greatest);
  }
  [[nodiscard]] std::map<std::string, std::string> all() const {
    std::map<std::string, std::string> texts;
    for (const auto& [name, value] : values_) {
      const auto* given = boost::any_cast<std::string>(&value.value());
      texts[name] = given != nullptr ? *given : "yes";
    }
    return texts;
  }

 private:
  static void refuse_words(const po::parsed_options& parsed) {
    for (const auto& option : parsed.options) {
      if (option.position_key < 0) continue;
      throw UsageError("\"" + option.value.at(0) + "\" stands alone; expected --OPTION VALUE");
    }
  }

  po::variables_map values_;
};

template <typename Parse>
auto parse_list(const Given& given, const char* option, Parse parse) {
  std::vector<decltype(parse(option, std::string()))> values;
  for (const std::string& item : given.list(option)) values.push_back(parse(option, item));
  return values;
}

Mode parse_mode(std::string_view option, const std::string& text) {
  for (const Mode mode : {Mode::kUp, Mode::kDown, Mode::kHub}) {
    if (text == to_string(mode)) return mode;
  }
  throw UsageError("--" + std::string(option) + ": \"" + text +
                   "\" is unknown; expected up, down or hub");
}

/// One of a few words.
template <typename T>
T choose(const Given& given, const char* option, const std::map<std::string, T>& choices) {
  const std::string text = given.text(option);
  if (const auto found = choices.find(text); found != choices.end()) return found->second;
  std::string expected;
  for (const auto& [name, value] : choices) expected += (expected.empty() ? "" : ", ") + name;
  throw UsageError("--" + std::string(option) + ": \"" + text + "\" is unknown; expected one of " +
                   expected);
}

/// The key itself, or a file that holds it.
crypto::PublicKey parse_key(const std::string& text) {
  if (const auto key = crypto::parse_base64_key(text)) return *key;
  std::string line;
  std::ifstream file(text);
  if (file && std::getline(file, line)) {
    if (const auto key = crypto::parse_base64_key(line)) return *key;
  }
  throw UsageError("--remote-key: \"" + text +
                   "\" is neither a public key in base64 nor a file that holds one");
}

PortOptions parse_port(const Given& given, const std::string& role) {
  const auto option = [&role](const char* rest) { return role + rest; };
  PortOptions port;
  port.role = role;
  port.device = given.text(option("-port").c_str());
  port.addresses = parse_list(given, option("-ip").c_str(), parse_interface);
  port.gateways = parse_list(given, option("-gateway").c_str(), parse_address);
  if (const auto name = option("-mac"); given.has(name.c_str())) {
    port.mac = parse_mac(name, given.text(name.c_str()));
  }
  if (const auto name = option("-gateway-mac"); given.has(name.c_str())) {
    port.gateway_mac = parse_mac(name, given.text(name.c_str()));
  }
  if (!port.device.empty() && port.addresses.empty()) {
    throw UsageError("--" + role + "-ip is missing: the " + role + " port needs an address");
  }
  return port;
}

PeersOptions parse_peers(const Given& given) {
  PeersOptions peers;
  given.needed("count");
  peers.count = static_cast<uint32_t>(given.count("count", 1, 1'000'000));
  peers.out = given.needed("out");
  peers.prefixes = parse_list(given, "prefix", parse_network);
  peers.peers_per_user = static_cast<uint32_t>(given.count("peers-per-user", 1, 1000));
  peers.preshared = given.flag("preshared-keys");
  peers.remote_private_key = given.text("remote-private-key");
  peers.listen_port = static_cast<uint16_t>(given.count("listen-port", 1, 65535));
  return peers;
}

/// The far end, the ports, and how the handshakes are done: all commands but `peers`.
void parse_rig(const Given& given, Options& options) {
  options.peers_file = given.needed("peers");
  options.remote_key = parse_key(given.needed("remote-key"));
  const auto endpoint = dataplane::parse_endpoint(given.needed("endpoint"));
  if (!endpoint) {
    throw UsageError(
        "--endpoint: expected ADDRESS:PORT, such as 198.51.100.1:51820 or "
        "[2001:db8::1]:51820");
  }
  options.endpoint = *endpoint;
  given.needed("tunnel-port");
  options.tunnel = parse_port(given, "tunnel");
  options.plain = parse_port(given, "plain");
  if (given.has("client-prefix")) {
    options.client_prefix = parse_network("client-prefix", given.text("client-prefix"));
  }
  options.engine = given.text("engine");
  options.eal.core = static_cast<unsigned>(given.count("core", 0, 1023));
  options.eal.huge_pages = choose<EalOptions::HugePages>(given, "huge-pages",
                                                         {{"auto", EalOptions::HugePages::kAuto},
                                                          {"yes", EalOptions::HugePages::kYes},
                                                          {"no", EalOptions::HugePages::kNo}});
  options.eal.verbose = given.flag("verbose");
  options.eal.link_timeout = static_cast<unsigned>(given.count("link-timeout", 0, 600));
  options.handshake.window = static_cast<uint32_t>(given.count("window", 1, 65536));
  options.handshake.rate = given.number("per-second", 0, 1e6);
  options.handshake.retry = given.number("retry", 0.05, 60);
  options.handshake.give_up = given.number("give-up", 0.1, 3600);
  options.traffic.tunnel_mtu = static_cast<uint16_t>(given.count("tunnel-mtu", 576, 9000));
  options.traffic.idle_sleep = static_cast<unsigned>(given.count("idle-sleep", 0, 100'000));
  options.traffic.users =
      parse_list(given, "users", [](std::string_view option, const std::string& text) {
        return static_cast<uint32_t>(parse_count(option, text, 1, 1'000'000));
      });
  options.json = given.text("json");
}

void parse_traffic(const Given& given, TrafficOptions& traffic) {
  traffic.modes = parse_list(given, "mode", parse_mode);
  traffic.sizes = parse_list(given, "size", [](std::string_view, const std::string& text) {
    return SizeMix::parse(text);
  });
  traffic.family = choose<Family>(given, "family",
                                  {{"4", Family::k4}, {"6", Family::k6}, {"both", Family::kBoth}});
  traffic.targets = parse_list(given, "target", parse_address);
  traffic.spread = Spread::parse(given.text("spread"));
  traffic.zipf_exponent = given.number("zipf-exponent", 0.01, 10);
  traffic.duration = given.number("duration", 0.01, 86400);
  traffic.round = static_cast<uint32_t>(given.count("round", 64, 1u << 23));
  traffic.sample = static_cast<uint32_t>(given.count("sample", 0, 1u << 30));
  traffic.drain = given.number("drain", 0.001, 10);
  traffic.seed = given.count("seed", 0, UINT64_MAX);
}

StormOptions parse_storm(const Given& given) {
  using Kind = StormOptions::Kind;
  StormOptions storm;
  storm.kind = choose<Kind>(given, "kind",
                            {{"initiations", Kind::kInitiations},
                             {"spoofed", Kind::kSpoofed},
                             {"cookie-replies", Kind::kCookieReplies}});
  const auto offer = parse_rate("offer", given.text("offer"));
  if (offer && offer->in_bits) throw UsageError("--offer: expected messages a second, or max");
  if (offer) storm.offer = offer->value;
  if (!offer && storm.kind == Kind::kInitiations) {
    throw UsageError("--offer max: initiations are made ahead of time; expected a number");
  }
  storm.unknown = given.number("unknown", 0, 1);
  storm.newcomers = static_cast<uint32_t>(given.count("newcomers", 0, 1'000'000));
  storm.waiting = static_cast<uint32_t>(given.count("waiting", 0, 1'000'000));
  return storm;
}

/// What sends at a rate of its own: `run`, and the clients in a storm.
void parse_offered(const Given& given, TrafficOptions& traffic) {
  traffic.rate = parse_rate("rate", given.text("rate"));
  traffic.max_loss = given.number("max-loss", 0, 1);
}

}  // namespace

const char* to_string(Mode mode) {
  return mode == Mode::kUp ? "up" : mode == Mode::kDown ? "down" : "hub";
}

Options parse_options(const Strings& arguments) {
  Options options;
  const std::string first = arguments.empty() ? "help" : arguments.front();
  if (first == "--version") return options.command = Command::kVersion, options;
  if (first == "help" || first == "--help" || first == "-h") {
    options.help = arguments.size() > 1 ? help_of(parse_command(arguments[1])) : overview();
    return options;
  }
  const Command command = parse_command(first);
  const Given given(command, Strings(arguments.begin() + 1, arguments.end()));
  if (given.flag("help")) {
    options.help = help_of(command);
    return options;
  }
  options.command = command;
  options.command_name = first;
  options.given = given.all();
  if (options.command == Command::kPeers) {
    options.peers = parse_peers(given);
    return options;
  }
  parse_rig(given, options);
  if (options.command == Command::kHandshakes) return options;
  if (options.command == Command::kReceive) {
    options.traffic.duration = given.number("duration", 0.01, 86400);
    options.traffic.sample = static_cast<uint32_t>(given.count("sample", 0, 1u << 30));
    return options;
  }
  parse_traffic(given, options.traffic);
  if (options.command == Command::kStorm) {
    parse_offered(given, options.traffic);
    options.storm = parse_storm(given);
    return options;
  }
  if (options.command == Command::kRun) {
    parse_offered(given, options.traffic);
    options.traffic.packets = given.count("packets", 0, UINT64_MAX);
    options.traffic.wait_for_ring = choose<bool>(
        given, "full-ring", {{"wait", true}, {"drop", false}, {"auto", !options.traffic.rate}});
    return options;
  }
  options.search.loss_threshold = given.number("loss-threshold", 0, 1);
  options.search.resolution = given.number("resolution", 0.0001, 0.5);
  options.search.tries = static_cast<uint32_t>(given.count("tries", 1, 100));
  options.search.max_rate = parse_rate("max-rate", given.text("max-rate"));
  if (options.command == Command::kLatency) {
    options.traffic.rate = parse_rate("rate", given.text("rate"));
    options.search.loads =
        parse_list(given, "load", [](std::string_view option, const std::string& text) {
          return parse_number(option, text, 0.1, 300) / 100;
        });
  }
  return options;
}

}  // namespace wirelay::relaygen

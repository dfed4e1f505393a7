// relayctl peer ...: users' devices.
#include <array>

#include "cli/bulk.h"
#include "cli/client_file.h"
#include "cli/client_forms.h"
#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/peer_fields.h"
#include "cli/peer_table.h"
#include "crypto/keys.h"
#include "ctrl/base/peer_fields.h"

namespace wirelay::cli {

namespace {

auto text_option(const char* name) { return po::value<std::string>()->value_name(name); }
auto list_option(const char* name) {
  return po::value<std::vector<std::string>>()->value_name(name);
}

void describe_peer_add(po::options_description_easy_init add) {
  add("user", text_option("NAME"), "the user whose device it is");
  describe_peer_fields(add, PeerOptions::kNew);
  add("generate", "make its key pair here, and print the ready client file, once")  //
      ("generate-psk", "make a preshared key here")                                 //
      ("output", text_option("FILE"), "with --generate: write the client file here, mode 0600");
  describe_qr(add);
  describe_bulk(add, "add the peers of a file: {\"peers\": [...]}");
}

void describe_peer_set(po::options_description_easy_init add) {
  describe_peer_fields(add, PeerOptions::kChange);
}

void describe_peer_list(po::options_description_easy_init add) {
  add("user", text_option("NAME"), "only this user's");
  describe_paging(add);
}

void describe_peer_config(po::options_description_easy_init add) {
  add("private-key-file", text_option("FILE"), "the client's private key; - is the input")  //
      ("endpoint", text_option("HOST:PORT"), "where the client reaches the relay")          //
      ("allowed-ips", list_option("PREFIXES"),
       "what the client sends through the tunnel (all)")                                //
      ("dns", list_option("ADDRESSES"), "name servers for the client")                  //
      ("keepalive", text_option("SECONDS"), "the client sends a keepalive that often")  //
      ("output", text_option("FILE"), "write the file here, mode 0600");
  describe_qr(add);
}

void describe_peer_rotate(po::options_description_easy_init add) {
  add("public-key", text_option("KEY"), "the new key of a client that has made it itself")  //
      ("output", text_option("FILE"), "write the client file here, mode 0600");
  describe_qr(add);
}

Json::Value fetch_config(Call& call, const std::string& name) {
  Json::Value params(Json::objectValue);
  params["name"] = name;
  return call.relay.call("peer.config", params);
}

void check_add(const Call& call) {
  check_no_file(call);
  if (call.arguments().empty()) throw UsageError("expected NAME or --file FILE");
  if (!call.has("user")) throw UsageError("--user NAME: whose device is it?");
  if (call.has("generate") == call.has("public-key")) {
    throw UsageError("expected either --public-key KEY or --generate");
  }
  exclude(call, "generate-psk", {"preshared-key-file"});
  if ((call.has("output") || wants_qr(call)) && !call.has("generate")) {
    throw UsageError(
        "--output and --qr go with --generate only; \"relayctl peer config\" writes files, too");
  }
}

/// Writes the only file that knows the private key; with --json as a field beside `counts`, unless
/// it goes to a file of its own.
void write_client_file(Call& call, const std::string& text, Json::Value counts) {
  const bool elsewhere = call.has("output") || wants_qr(call);
  if (!call.json() || elsewhere) hand_out_file(call, text);
  if (!elsewhere) counts["client_file"] = text;
  printed_json(call, counts);
}

/// A peer whose file cannot be written is of no use to anybody, and is taken away again.
void hand_out(Call& call, const ClientFileOptions& client, const Json::Value& counts) {
  try {
    write_client_file(call, client_file(fetch_config(call, call.argument()), client), counts);
  } catch (const Failure&) {
    Json::Value peer(Json::objectValue);
    peer["name"] = call.argument();
    call.relay.call("peer.remove", peer);
    throw;
  }
}

/// The private key exists here alone, and the peer perhaps at the relay: when the connection breaks
/// or the answer makes no sense, the file says what is known on this side.
[[noreturn]] void keep_key(Call& call, const ClientFileOptions& client, const Json::Value& peer,
                           const std::string& why) {
  write_client_file(call, client_file(peer, client), Json::objectValue);
  throw Unreachable(why + "; whether " + call.argument() + " has the key, \"relayctl peer show " +
                    call.argument() +
                    "\" tells; if so, the private key is in this client file and nowhere else");
}

void exclude_json(const Call& call) { exclude(call, "json", {"qr"}); }

void add_generated(Call& call, const ClientFileOptions& client, const Json::Value& peer) {
  call.relay.connect();  // nothing has been asked for when this fails
  try {
    const Json::Value done = call.relay.call("peer.add", peer);
    const std::string changes = changes_text(done);
    hand_out(call, client, done);
    if (call.json()) return;
    call.err << changes << "; the private key is in this client file and nowhere else\n";
    print_warnings(call, done);
  } catch (const Unreachable& lost) {
    keep_key(call, client, peer, lost.what());
  } catch (const Json::Exception& strange) {
    keep_key(call, client, peer, strange_reply(strange));
  }
}

void add_peer(Call& call) {
  if (call.has("file")) {
    exclude(call, "file", {"user", "generate", "generate-psk", "output", "qr", "qr-png", "qr-svg"});
    for (const auto& field : ctrl::kPeerFields) {
      exclude(call, "file", {std::string(field.option).c_str()});
    }
    return add_from_file(call, "peer.add", "peers");
  }
  exclude_json(call);
  check_add(call);
  Json::Value peer = peer_fields(call);
  peer["name"] = call.argument();
  peer["user"] = *call.text("user");
  ClientFileOptions client;
  if (call.has("generate")) {
    const crypto::Secret key = crypto::generate_private_key();
    client.private_key = crypto::to_base64(key.bytes());
    peer["public_key"] = crypto::to_base64(crypto::derive_public_key(key));
  }
  if (call.has("generate-psk")) {
    peer["preshared_key"] = crypto::to_base64(crypto::generate_preshared_key().bytes());
  }
  if (client.private_key) return add_generated(call, client, peer);
  print_changes(call, call.relay.call("peer.add", peer));
}

/// Whose file cannot be written now is rotated once more.
void rotate_keys(Call& call) {
  exclude_json(call);
  exclude(call, "public-key", {"output", "qr", "qr-png", "qr-svg"});
  Json::Value keys(Json::objectValue);
  keys["name"] = call.argument();
  const Json::Value before = call.relay.call("peer.get", keys);
  ClientFileOptions client;
  if (const auto key = call.text("public-key")) {
    keys["public_key"] = *key;
    return print_changes(call, call.relay.call("peer.rotate", keys));
  }
  const crypto::Secret key = crypto::generate_private_key();
  client.private_key = crypto::to_base64(key.bytes());
  keys["public_key"] = crypto::to_base64(crypto::derive_public_key(key));
  if (before["has_preshared_key"].asBool()) {
    keys["preshared_key"] = crypto::to_base64(crypto::generate_preshared_key().bytes());
  }
  try {
    const Json::Value done = call.relay.call("peer.rotate", keys);
    write_client_file(call, client_file(fetch_config(call, call.argument()), client), done);
    if (call.json()) return;
    call.err << call.argument()
             << " has new keys; the private one is in this client file and nowhere else\n";
  } catch (const Unreachable& lost) {
    keep_key(call, client, keys, lost.what());
  } catch (const Json::Exception& strange) {
    keep_key(call, client, keys, strange_reply(strange));
  }
}

void set_peers(Call& call) {
  Json::Value peer = peer_fields(call);
  if (peer.empty()) throw UsageError("name what to change, such as --allowed-ips 10.77.0.2/32");
  peer["name"] = call.argument();
  print_changes(call, call.relay.call("peer.set", peer));
}

void rename_peer(Call& call) { rename_one(call, "peer.rename"); }

void forget_timestamps(Call& call) { call_for_names(call, "peer.forget_timestamp"); }

void remove_peers(Call& call) { call_for_names(call, "peer.remove"); }

void show_peer(Call& call) {
  Json::Value params(Json::objectValue);
  params["name"] = call.argument();
  const Json::Value peer = call.relay.call("peer.get", params);
  if (printed_json(call, peer)) return;
  const Json::Value& status = peer["status"];
  Facts facts;
  facts.add("Peer", peer["name"].asString());
  facts.add("User", peer["user"].asString());
  for (auto& [title, text] : titled_peer_fields(peer)) {
    facts.add(std::move(title), std::move(text));
  }
  facts.add("Last handshake", ago_text(status["last_handshake"].asUInt64(),
                                       static_cast<uint64_t>(std::time(nullptr))));
  facts.add("Connected", status["has_session"].asBool() ? "yes" : "no");
  if (const Json::Value& clock = status["refused_clock"]; clock.isObject()) {
    const uint64_t behind = clock["last"].asUInt64() - clock["time"].asUInt64();
    facts.add("Clock", "refused: its time lies " + duration_text(behind) +
                           " before that of its last handshake; if its clock was set back, "
                           "\"relayctl peer forget-timestamp " +
                           printable(peer["name"].asString()) + "\" lets it in");
  }
  const Json::Value& mtu = status["path_mtu"];
  facts.add("Path MTU", mtu.isNull() ? "-" : mtu.asString() + " bytes outside");
  for (const auto& [title, way] :
       {std::pair("Traffic up", "rx"), std::pair("Traffic down", "tx")}) {
    const Json::Value& traffic = status["traffic"];
    facts.add(title, bytes_text(traffic[std::string(way) + "_bytes"].asUInt64()) + " in " +
                         count_text(traffic[std::string(way) + "_packets"].asUInt64()) +
                         " packets");
  }
  facts.print(call.out);
}

void list_peers(Call& call) {
  Json::Value params(Json::objectValue);
  if (const auto user = call.text("user")) params["user"] = *user;
  const Json::Value result = fetch_list(call, "peer.list", "peers", params);
  if (printed_json(call, result) || printed_names(call, result["peers"])) return;
  print_peers(call.out, result["peers"], PeerColumns::kAll);
  call.out << result["peers"].size() << " of " << count_text(result["total"].asUInt64())
           << " peers\n";
}

void print_peer_config(Call& call) {
  // As JSON it is what the relay knows, not a file.
  exclude(call, "json",
          {"private-key-file", "endpoint", "allowed-ips", "dns", "keepalive", "output", "qr",
           "qr-png", "qr-svg"});
  const Json::Value known = fetch_config(call, call.argument());
  if (printed_json(call, known)) return;
  ClientFileOptions options;
  options.endpoint = call.text("endpoint");
  options.dns = split_commas(call.texts("dns"));
  options.keepalive = call.text("keepalive");
  if (call.has("allowed-ips")) options.allowed_ips = split_commas(call.texts("allowed-ips"));
  if (const auto file = call.text("private-key-file")) {
    options.private_key = read_key(*file, call.in);
    const crypto::Secret key(*crypto::parse_base64_key(*options.private_key));
    if (crypto::to_base64(crypto::derive_public_key(key)) != known["public_key"].asString()) {
      throw Failure(*file + " holds another key: it does not belong to the public key of " +
                    call.argument());
    }
  }
  hand_out_file(call, client_file(known, options));
}

constexpr std::array kPeerCommands = {
    Command{
        "peer add", "NAME", 0, 1, "add a device of a user",
        "relayctl peer add alice-phone --user alice --allowed-ips 10.77.0.2/32,fd77::2/128 \\\n"
        "    --public-key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
        "relayctl peer add alice-phone --user alice --generate   # next addresses of the pools\n"
        "relayctl peer add alice-phone --user alice --allowed-ips 10.77.0.2/32 --generate \\\n"
        "    --generate-psk --output alice-phone.conf\n"
        "relayctl peer add alice-phone --user alice --generate --qr      # to be scanned\n"
        "relayctl peer add --file peers.json",
        describe_peer_add, add_peer},
    Command{"peer set", "NAME", 1, 1, "change a device, live",
            "relayctl peer set alice-phone --allowed-ips 10.77.0.2/32,10.77.0.3/32\n"
            "relayctl peer set alice-phone --keepalive 25\n"
            "relayctl peer set alice-phone --preshared-key-file psk.txt",
            describe_peer_set, set_peers},
    Command{"peer rename", "NAME NEW-NAME", 2, 2, "give a device another name; all else goes on",
            "relayctl peer rename alice-phone alice-old-phone", nullptr, rename_peer},
    Command{"peer rotate", "NAME", 1, 1, "give a device new keys; all else stays",
            "relayctl peer rotate alice-phone --output alice-phone.conf\n"
            "relayctl peer rotate alice-phone --qr\n"
            "relayctl peer rotate alice-phone "
            "--public-key xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=",
            describe_peer_rotate, rotate_keys},
    Command{"peer forget-timestamp", "NAME...", 1, kAnyNumber,
            "take a device's next handshake whatever its time: its clock was set back",
            "relayctl peer forget-timestamp alice-phone", nullptr, forget_timestamps},
    Command{"peer remove", "NAME...", 1, kAnyNumber, "remove devices",
            "relayctl peer remove alice-phone", nullptr, remove_peers},
    Command{"peer show", "NAME", 1, 1, "a device: endpoint, last handshake, traffic",
            "relayctl peer show alice-phone", nullptr, show_peer},
    Command{"peer list", "", 0, 0, "all devices, or those of a user",
            "relayctl peer list\nrelayctl peer list --user alice\nrelayctl peer list --json",
            describe_peer_list, list_peers},
    Command{"peer config", "NAME", 1, 1, "a ready client file for wg-quick",
            "relayctl peer config alice-phone\n"
            "relayctl peer config alice-phone --private-key-file phone.key --output phone.conf\n"
            "relayctl peer config alice-phone --private-key-file phone.key --qr\n"
            "relayctl peer config alice-phone --endpoint vpn.example.net:51820 --dns 9.9.9.9 \\\n"
            "    --allowed-ips 10.77.0.0/16",
            describe_peer_config, print_peer_config},
};

}  // namespace

std::span<const Command> peer_commands() { return kPeerCommands; }

}  // namespace wirelay::cli

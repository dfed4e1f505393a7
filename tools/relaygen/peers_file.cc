// Reading and writing identities.
#include "tools/relaygen/peers_file.h"

#include <istream>
#include <ostream>
#include <sstream>

#include "tools/relaygen/failure.h"
#include "tools/relaygen/values.h"

namespace wirelay::relaygen {

namespace {

constexpr const char* kHeading =
    "# relaygen peers 1: user, peer, private key, public key, preshared key or -, addresses\n";

std::string joined(const std::vector<dataplane::IpAddr>& addresses, bool as_prefixes) {
  std::string text;
  for (const dataplane::IpAddr& addr : addresses) {
    text += (text.empty() ? "" : ",") + dataplane::to_string(addr);
    if (as_prefixes) text += addr.is_v4() ? "/32" : "/128";
  }
  return text;
}

[[noreturn]] void refuse(size_t line, const std::string& what) {
  throw Failure("line " + std::to_string(line) + ": " + what);
}

crypto::Bytes32 read_key(const std::string& text, size_t line, const char* what) {
  const auto key = crypto::parse_base64_key(text);
  if (!key) refuse(line, std::string(what) + " is no key in base64");
  return *key;
}

Identity read_line(const std::string& text, size_t line) {
  std::istringstream fields(text);
  Identity peer;
  std::string private_key, public_key, preshared_key, addresses, more;
  fields >> peer.user >> peer.name >> private_key >> public_key >> preshared_key >> addresses;
  if (fields.fail() || fields >> more) refuse(line, "expected 6 fields");
  peer.private_key = crypto::Secret(read_key(private_key, line, "the private key"));
  peer.public_key = read_key(public_key, line, "the public key");
  if (preshared_key != "-") {
    peer.preshared_key = crypto::Secret(read_key(preshared_key, line, "the preshared key"));
  }
  for (const std::string& item : split(addresses, ',')) {
    const auto addr = dataplane::parse_ip(item);
    if (!addr) refuse(line, "\"" + item + "\" is no address");
    peer.addresses.push_back(*addr);
  }
  return peer;
}

void write_user_peer(std::ostream& out, const Identity& peer) {
  out << R"({"name": ")" << peer.name << R"(", "public_key": ")"
      << crypto::to_base64(peer.public_key) << '"';
  if (!peer.preshared_key.is_zero()) {
    out << R"(, "preshared_key": ")" << crypto::to_base64(peer.preshared_key.bytes()) << '"';
  }
  out << R"(, "allowed_ips": [)";
  const char* comma = "\"";
  for (const std::string& item : split(joined(peer.addresses, true), ',')) {
    out << comma << item << '"';
    comma = ", \"";
  }
  out << "]}";
}

}  // namespace

void write_peers(std::ostream& out, const std::vector<Identity>& peers) {
  out << kHeading;
  for (const Identity& peer : peers) {
    const bool shared = !peer.preshared_key.is_zero();
    out << peer.user << ' ' << peer.name << ' ' << crypto::to_base64(peer.private_key.bytes())
        << ' ' << crypto::to_base64(peer.public_key) << ' '
        << (shared ? crypto::to_base64(peer.preshared_key.bytes()) : "-") << ' '
        << joined(peer.addresses, false) << '\n';
  }
}

std::vector<Identity> read_peers(std::istream& in) {
  std::vector<Identity> peers;
  std::string text;
  for (size_t line = 1; std::getline(in, text); ++line) {
    if (line == 1 && text + '\n' != kHeading) refuse(line, "this is no peers file of relaygen");
    if (text.empty() || text.front() == '#') continue;
    peers.push_back(read_line(text, line));
  }
  if (peers.empty()) throw Failure("it holds no peers");
  return peers;
}

void write_wg_conf(std::ostream& out, const std::vector<Identity>& peers,
                   const crypto::Secret& private_key, uint16_t listen_port) {
  out << "[Interface]\nPrivateKey = " << crypto::to_base64(private_key.bytes())
      << "\nListenPort = " << listen_port << '\n';
  for (const Identity& peer : peers) {
    out << "\n[Peer]\nPublicKey = " << crypto::to_base64(peer.public_key) << '\n';
    if (!peer.preshared_key.is_zero()) {
      out << "PresharedKey = " << crypto::to_base64(peer.preshared_key.bytes()) << '\n';
    }
    out << "AllowedIPs = " << joined(peer.addresses, true) << '\n';
  }
}

void write_relayctl_users(std::ostream& out, const std::vector<Identity>& peers) {
  out << "{\"users\": [";
  const std::string* user = nullptr;
  for (const Identity& peer : peers) {
    const bool same_user = user != nullptr && *user == peer.user;
    if (!same_user) {
      out << (user == nullptr ? "\n" : "]},\n") << R"({"name": ")" << peer.user
          << R"(", "peers": [)";
    }
    out << (same_user ? ",\n  " : "");
    write_user_peer(out, peer);
    user = &peer.user;
  }
  out << (user == nullptr ? "]}\n" : "]}\n]}\n");
}

size_t peers_of_first_users(const std::vector<Identity>& peers, uint32_t users) {
  uint32_t seen = 0;
  for (size_t i = 0; i < peers.size(); ++i) {
    if (i == 0 || peers[i].user != peers[i - 1].user) ++seen;
    if (seen > users) return i;
  }
  return peers.size();
}

uint32_t count_users(const std::vector<Identity>& peers) {
  uint32_t seen = 0;
  for (size_t i = 0; i < peers.size(); ++i) {
    if (i == 0 || peers[i].user != peers[i - 1].user) ++seen;
  }
  return seen;
}

}  // namespace wirelay::relaygen

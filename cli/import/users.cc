// Names that fit, each given once.
#include "cli/import/users.h"

#include <map>
#include <set>
#include <utility>

namespace wirelay::cli {

namespace {

constexpr size_t kMostName = 56;  // of 64: room for a number behind it

bool fits(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '@' || c == '+';
}

/// Of letters that names may have; what else there is between them is one "-". "" when none is.
std::string fitting(const std::string& text) {
  std::string name;
  bool gap = false;
  for (const char c : text) {
    if (!fits(c)) {
      gap = true;
      continue;
    }
    if (gap && !name.empty()) name += '-';
    gap = false;
    name += c;
    if (name.size() >= kMostName) break;
  }
  return name;
}

/// `name`, or the first of name-2, name-3, ... that is not in `taken`, where it is entered.
class Names {
 public:
  std::string take(const std::string& name) {
    if (taken_.insert(name).second) return name;
    unsigned& last = last_.try_emplace(name, 1).first->second;
    for (;;) {
      std::string numbered = name + '-' + std::to_string(++last);
      if (taken_.insert(numbered).second) return numbered;
    }
  }

 private:
  std::set<std::string> taken_;
  std::map<std::string, unsigned> last_;  // numbers given
};

Json::Value peer_of(const ImportedPeer& peer, const std::string& name) {
  Json::Value value(Json::objectValue);
  value["name"] = name;
  value["public_key"] = peer.public_key;
  if (!peer.preshared_key.empty()) value["preshared_key"] = peer.preshared_key;
  Json::Value& prefixes = value["allowed_ips"] = Json::arrayValue;
  for (const std::string& prefix : peer.allowed_ips) prefixes.append(prefix);
  if (!peer.endpoint.empty()) value["endpoint"] = peer.endpoint;
  if (peer.keepalive != 0) value["persistent_keepalive"] = peer.keepalive;
  return value;
}

}  // namespace

Json::Value users_of(const ImportedServer& server) {
  Json::Value users(Json::arrayValue);
  std::map<std::pair<std::string, bool>, Json::ArrayIndex> places;
  Names user_names, peer_names;
  for (const ImportedPeer& peer : server.peers) {
    std::string name = fitting(peer.name);
    if (name.empty()) name = fitting("peer-" + peer.public_key.substr(0, 8));
    const auto [place, fresh] = places.try_emplace({name, peer.enabled}, users.size());
    if (fresh) {
      Json::Value& user = users.append(Json::objectValue);
      user["name"] = user_names.take(name);
      if (!peer.enabled) user["enabled"] = false;
    }
    users[place->second]["peers"].append(peer_of(peer, peer_names.take(name)));
  }
  return users;
}

}  // namespace wirelay::cli

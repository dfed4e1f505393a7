// Fuzzes what relayctl reads of other WireGuard servers: whatever a file holds, what comes of it
// are users that the relay can read, each key and each name once, and messages repeat no key.
#include <cstdlib>
#include <set>
#include <string>

#include "cli/errors.h"
#include "cli/import/users.h"
#include "cli/import/wg_conf.h"
#include "cli/import/wg_easy.h"
#include "crypto/keys.h"

using namespace wirelay;

namespace {

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+") ==
             std::string::npos;
}

void check(const cli::ImportedServer& server, bool keys_differ) {
  std::set<std::string> users, peers, keys;
  size_t count = 0;
  for (const Json::Value& user : cli::users_of(server)) {
    if (!is_name(user["name"].asString()) || !users.insert(user["name"].asString()).second) abort();
    if (user["peers"].empty()) abort();
    for (const Json::Value& peer : user["peers"]) {
      ++count;
      if (!is_name(peer["name"].asString()) || !peers.insert(peer["name"].asString()).second)
        abort();
      if (!crypto::parse_base64_key(peer["public_key"].asString())) abort();
      if (keys_differ && !keys.insert(peer["public_key"].asString()).second) abort();
    }
  }
  if (count != server.peers.size()) abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check(cli::read_wg_conf(text), true);
  } catch (const cli::Failure& failure) {
    if (!std::string_view(failure.what()).starts_with("line ")) abort();
  }
  try {
    check(cli::read_wg_easy(text), false);
  } catch (const cli::Failure&) {
  }
  return 0;
}

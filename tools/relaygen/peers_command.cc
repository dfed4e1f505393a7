// Making identities.
#include "tools/relaygen/peers_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/relaygen/addresses.h"
#include "tools/relaygen/failure.h"
#include "tools/relaygen/progress.h"

namespace wirelay::relaygen {

namespace {

using dataplane::Prefix;

// The network's own address, and one for the far end.
constexpr uint32_t kSkippedAddresses = 2;

void check_prefixes(const PeersOptions& options) {
  if (options.prefixes.empty() || options.prefixes.size() > 2 ||
      (options.prefixes.size() == 2 &&
       options.prefixes[0].is_v4() == options.prefixes[1].is_v4())) {
    throw UsageError("--prefix: expected one prefix, or one of each family");
  }
  for (const Prefix& prefix : options.prefixes) {
    if (host_count(prefix) < options.count + kSkippedAddresses) {
      throw UsageError("--prefix: " + dataplane::to_string(prefix) + " has no room for " +
                       std::to_string(options.count) + " peers");
    }
  }
}

std::string numbered(const char* name, uint32_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "%s%06u", name, number);
  return text;
}

void write_file(const std::filesystem::path& path, bool secret,
                const std::function<void(std::ostream&)>& write) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0644);
  if (fd >= 0 && secret) fchmod(fd, 0600);
  if (fd >= 0) close(fd);
  std::ofstream out(path, std::ios::binary);
  write(out);
  out.flush();
  if (!out) throw Failure("cannot write " + path.string());
}

crypto::Secret read_private_key(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  const auto key = crypto::parse_base64_key(line);
  if (!key) throw Failure(path.string() + " holds no private key in base64");
  return crypto::Secret(*key);
}

crypto::Secret remote_private_key(const PeersOptions& options) {
  if (!options.remote_private_key.empty()) return read_private_key(options.remote_private_key);
  const auto path = std::filesystem::path(options.out) / "remote.key";
  if (std::filesystem::exists(path)) return read_private_key(path);
  const crypto::Secret key = crypto::generate_private_key();
  write_file(path, true, [&](std::ostream& out) { out << crypto::to_base64(key.bytes()) << '\n'; });
  return key;
}

}  // namespace

std::vector<Identity> make_identities(const PeersOptions& options) {
  check_prefixes(options);
  Progress progress;
  std::vector<Identity> peers(options.count);
  for (uint32_t i = 0; i < options.count; ++i) {
    Identity& peer = peers[i];
    peer.user = numbered("u", i / options.peers_per_user);
    peer.name = peer.user + '-' + std::to_string(i % options.peers_per_user);
    peer.private_key = crypto::generate_private_key();
    peer.public_key = crypto::derive_public_key(peer.private_key);
    if (options.preshared) peer.preshared_key = crypto::generate_preshared_key();
    for (const Prefix& prefix : options.prefixes) {
      peer.addresses.push_back(plus(prefix.addr, i + kSkippedAddresses));
    }
    if (i % 256 == 0 && progress.is_due()) {
      progress.show("keys: " + std::to_string(i) + " of " + std::to_string(options.count));
    }
  }
  return peers;
}

void run_peers(const PeersOptions& options) {
  const std::vector<Identity> peers = make_identities(options);
  const std::filesystem::path folder = options.out;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure("cannot make " + folder.string() + ": " + error.message());
  const crypto::Secret remote = remote_private_key(options);
  write_file(folder / "remote.pub", false, [&](std::ostream& out) {
    out << crypto::to_base64(crypto::derive_public_key(remote)) << '\n';
  });
  write_file(folder / "peers.txt", true, [&](std::ostream& out) { write_peers(out, peers); });
  write_file(folder / "wg.conf", true,
             [&](std::ostream& out) { write_wg_conf(out, peers, remote, options.listen_port); });
  write_file(folder / "users.json", true,
             [&](std::ostream& out) { write_relayctl_users(out, peers); });
  std::cout << peers.size() << " peers of " << count_users(peers) << " users in " << folder.string()
            << ": peers.txt, wg.conf, users.json, remote.pub\n";
}

}  // namespace wirelay::relaygen

// The clients' identities, and the files that they are kept in or handed to the far end by.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "dataplane/ip.h"

namespace wirelay::relaygen {

/// One peer: a device of a user.
struct Identity {
  std::string user, name;
  crypto::Secret private_key;
  crypto::PublicKey public_key{};
  crypto::Secret preshared_key;              // zero: none
  std::vector<dataplane::IpAddr> addresses;  // inside the tunnel, one a family
};

/// The peers file: a line of fields for each peer, see docs/pktgen.md.
void write_peers(std::ostream& out, const std::vector<Identity>& peers);

/// Throws Failure with the line's number and what is wrong with it.
std::vector<Identity> read_peers(std::istream& in);

/// A configuration of the far end for `wg setconf`.
void write_wg_conf(std::ostream& out, const std::vector<Identity>& peers,
                   const crypto::Secret& private_key, uint16_t listen_port);

/// Users and peers for `relayctl user add --file`, or as a users_file of relayd.
void write_relayctl_users(std::ostream& out, const std::vector<Identity>& peers);

/// How many of `peers`, from the first on, belong to the first `users` users.
size_t peers_of_first_users(const std::vector<Identity>& peers, uint32_t users);
uint32_t count_users(const std::vector<Identity>& peers);

}  // namespace wirelay::relaygen

// `relaygen peers`: makes identities, and writes them for everyone who needs them.
#pragma once

#include <vector>

#include "tools/relaygen/options.h"
#include "tools/relaygen/peers_file.h"

namespace wirelay::relaygen {

/// Fresh identities: users u000000, u000001, ..., their peers u000000-0, ..., and addresses counted
/// up from the third of each prefix. Throws UsageError when a prefix is too small.
std::vector<Identity> make_identities(const PeersOptions& options);

/// Writes peers.txt, wg.conf, users.json, remote.key and remote.pub into the folder; those that
/// hold private keys are readable to their owner alone.
void run_peers(const PeersOptions& options);

}  // namespace wirelay::relaygen

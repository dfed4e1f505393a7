// relayctl genkey, pubkey, genpsk: keys without a relay.
#include <array>

#include "cli/command.h"
#include "cli/files.h"
#include "crypto/keys.h"

namespace wirelay::cli {

namespace {

void generate_key(Call& call) {
  call.out << crypto::to_base64(crypto::generate_private_key().bytes()) << '\n';
}

void generate_preshared_key(Call& call) {
  call.out << crypto::to_base64(crypto::generate_preshared_key().bytes()) << '\n';
}

void public_key(Call& call) {
  const crypto::Secret key(*crypto::parse_base64_key(read_key("-", call.in)));
  call.out << crypto::to_base64(crypto::derive_public_key(key)) << '\n';
}

constexpr std::array kCommands = {
    Command{"genkey", "", 0, 0, "make a private key", "(umask 077; relayctl genkey > private.key)",
            nullptr, generate_key},
    Command{"pubkey", "", 0, 0, "the public key of the private key on the input",
            "relayctl pubkey < private.key\nrelayctl genkey | tee private.key | relayctl pubkey",
            nullptr, public_key},
    Command{"genpsk", "", 0, 0, "make a preshared key", "(umask 077; relayctl genpsk > psk.txt)",
            nullptr, generate_preshared_key},
};

}  // namespace

std::span<const Command> key_commands() { return kCommands; }

}  // namespace wirelay::cli

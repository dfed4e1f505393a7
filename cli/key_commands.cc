// relayctl genkey, pubkey, genpsk: keys without a relay.
#include <array>

#include "cli/command.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "crypto/keys.h"

namespace wirelay::cli {

namespace {

/// The key alone on a line; with --json under its name.
void print_key(Call& call, const char* name, const crypto::Bytes32& key) {
  Json::Value result(Json::objectValue);
  result[name] = crypto::to_base64(key);
  if (!printed_json(call, result)) call.out << result[name].asString() << '\n';
}

void generate_key(Call& call) {
  print_key(call, "private_key", crypto::generate_private_key().bytes());
}

void generate_preshared_key(Call& call) {
  print_key(call, "preshared_key", crypto::generate_preshared_key().bytes());
}

void public_key(Call& call) {
  const crypto::Secret key(*crypto::parse_base64_key(read_key("-", call.in)));
  print_key(call, "public_key", crypto::derive_public_key(key));
}

constexpr std::array kKeyCommands = {
    Command{"genkey", "", 0, 0, "make a private key", "(umask 077; relayctl genkey > private.key)",
            nullptr, generate_key},
    Command{"pubkey", "", 0, 0, "the public key of the private key on the input",
            "relayctl pubkey < private.key\nrelayctl genkey | tee private.key | relayctl pubkey",
            nullptr, public_key},
    Command{"genpsk", "", 0, 0, "make a preshared key", "(umask 077; relayctl genpsk > psk.txt)",
            nullptr, generate_preshared_key},
};

}  // namespace

std::span<const Command> key_commands() { return kKeyCommands; }

}  // namespace wirelay::cli

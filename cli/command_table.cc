// All commands, and what they have in common.
#include <cstdlib>

#include "cli/command.h"
#include "cli/errors.h"

namespace wirelay::cli {

std::optional<std::string> Call::text(const char* option) const {
  return has(option) ? std::optional(options_[option].as<std::string>()) : std::nullopt;
}

std::vector<std::string> Call::texts(const char* option) const {
  return has(option) ? options_[option].as<std::vector<std::string>>() : std::vector<std::string>();
}

uint64_t Call::number(const char* option, uint64_t otherwise) const {
  const auto value = text(option);
  if (!value) return otherwise;
  char* end = nullptr;
  errno = 0;
  const uint64_t n = std::strtoull(value->c_str(), &end, 10);
  if (value->find_first_not_of("0123456789") != std::string::npos || value->empty() || errno != 0) {
    throw UsageError("--" + std::string(option) + ": found \"" + *value +
                     "\", expected a whole number");
  }
  return n;
}

const std::vector<Command>& all_commands() {
  static const std::vector<Command> kAll = [] {
    std::vector<Command> all;
    for (const auto& part :
         {status_commands(), port_commands(), nat_commands(), event_commands(), user_commands(),
          peer_commands(), usage_commands(), file_commands(), import_commands(), relay_commands(),
          key_commands(), nic_commands(), setup_commands()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return kAll;
}

po::options_description options_of(const Command& command) {
  po::options_description options;
  if (command.describe != nullptr) command.describe(options.add_options());
  options.add_options()  //
      ("socket", po::value<std::string>()->value_name("PATH"),
       "the relay's control socket (or WIRELAY_SOCKET in the environment)")  //
      ("json", "print the result as JSON, for programs")                     //
      ("help,h", "show this help");
  return options;
}

}  // namespace wirelay::cli

// What a command of relayctl is. One file a noun defines commands; command_table.cc lists them.
#pragma once

#include <boost/program_options.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "cli/relay_client.h"

namespace wirelay::cli {

namespace po = boost::program_options;

/// What a command has at hand when it runs.
class Call {
 public:
  Call(const po::variables_map& options, RelayClient& client, const Streams& io)
      : relay(client), in(io.in), out(io.out), err(io.err), options_(options) {}

  [[nodiscard]] bool has(const char* option) const { return options_.count(option) != 0; }
  [[nodiscard]] std::optional<std::string> text(const char* option) const;
  [[nodiscard]] std::vector<std::string> texts(const char* option) const;
  [[nodiscard]] uint64_t number(const char* option, uint64_t otherwise) const;
  /// The arguments that are no options.
  [[nodiscard]] std::vector<std::string> arguments() const { return texts(kArguments); }
  /// The only argument; parsing has made sure that there is one.
  [[nodiscard]] std::string argument() const { return arguments().front(); }
  [[nodiscard]] bool json() const { return has("json"); }

  RelayClient& relay;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;

  static constexpr const char* kArguments = "arguments";

 private:
  const po::variables_map& options_;
};

struct Command {
  std::string_view name;                                    // "user add"
  std::string_view arguments;                               // "NAME...", for people
  size_t least, most;                                       // how many arguments
  std::string_view text;                                    // one line: what it does
  std::string_view examples;                                // one a line
  void (*describe)(po::options_description_easy_init add);  // its options; may be null
  /// Throws UsageError, Failure or Unreachable.
  void (*run)(Call& call);
};

inline constexpr size_t kAnyNumber = 1'000'000;

std::span<const Command> status_commands();
std::span<const Command> port_commands();
std::span<const Command> nat_commands();
std::span<const Command> event_commands();
std::span<const Command> user_commands();
std::span<const Command> peer_commands();
std::span<const Command> usage_commands();
std::span<const Command> key_commands();
std::span<const Command> setup_commands();
std::span<const Command> nic_commands();
std::span<const Command> import_commands();
std::span<const Command> relay_commands();
std::span<const Command> file_commands();

/// All commands, in the order in which help shows them.
const std::vector<Command>& all_commands();
/// Its own options and those of every command.
po::options_description options_of(const Command& command);

}  // namespace wirelay::cli

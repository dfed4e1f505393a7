// Help, and finding the command that was meant.
#include "cli/help.h"

#include <algorithm>
#include <sstream>

#include "cli/format.h"
#include "ctrl/base/closest_word.h"

namespace wirelay::cli {

namespace {

bool in_noun(const Command& command, const std::string& noun) {
  return command.name.starts_with(noun + ' ');
}

std::string call_form(const Command& command) {
  std::string text(command.name);
  if (!command.arguments.empty()) text.append(" ").append(command.arguments);
  return text;
}

void print_lines(std::ostream& out, std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) out << "  " << line << '\n';
}

void print_commands(std::ostream& out, const std::string& noun) {
  size_t width = 0;
  for (const Command& command : all_commands()) {
    width = std::max(width, call_form(command).size());
  }
  for (const Command& command : all_commands()) {
    if (!noun.empty() && !in_noun(command, noun)) continue;
    const std::string form = call_form(command);
    out << "  " << form << std::string(width - form.size() + 2, ' ') << command.text << '\n';
  }
}

}  // namespace

void print_overview(std::ostream& out) {
  out << "relayctl - look at and change a running Wirelay relay\n\n"
         "Usage: relayctl COMMAND [ARGUMENTS] [OPTIONS]\n\n"
         "Commands:\n";
  print_commands(out, "");
  out << "\nOptions of every command:\n"
         "  --socket PATH  the relay's control socket (or WIRELAY_SOCKET in the environment;\n"
         "                 /run/wirelay/relayd.sock otherwise)\n"
         "  --json         print the result as JSON, for programs\n"
         "  --help         what a command does, its options, and examples\n"
         "  --version      the version of relayctl\n\n"
         "Rates are bits a second: 20M, 1.5G, unlimited. K, M and G are powers of 1,000.\n\n"
         "Examples:\n"
         "  relayctl user add alice --rate 20M\n"
         "  relayctl peer add alice-phone --user alice --allowed-ips 10.77.0.2/32 --generate\n"
         "  relayctl user set alice --rate-down 50M\n"
         "  relayctl status\n\n"
         "Exit codes: 0 done, 1 refused, 2 wrong usage, 3 no relay answers.\n"
         "\"relayctl help COMMAND\" tells more of a command.\n";
}

void print_help(std::ostream& out, const Command& command) {
  out << "relayctl " << command.name << " - " << command.text << "\n\n"
      << "Usage: relayctl " << call_form(command) << " [OPTIONS]\n\nOptions:\n"
      << options_of(command) << "\nExamples:\n";
  print_lines(out, command.examples);
}

void print_noun(std::ostream& out, const std::string& noun) {
  out << "Usage: relayctl " << noun << " VERB [ARGUMENTS] [OPTIONS]\n\nCommands:\n";
  print_commands(out, noun);
  out << "\n\"relayctl help " << noun << " VERB\" tells more.\n";
}

void print_words(std::ostream& out) {
  for (const Command& command : all_commands()) {
    out << command.name << ':';
    const po::options_description described = options_of(command);
    for (const auto& option : described.options()) out << " --" << option->long_name();
    out << '\n';
  }
}

const Command* find_command(const std::vector<std::string>& words, size_t& used) {
  // "setup nic" before "setup".
  for (used = std::min<size_t>(2, words.size()); used != 0; --used) {
    const std::string name = used == 1 ? words[0] : words[0] + ' ' + words[1];
    const auto found = std::ranges::find(all_commands(), name, &Command::name);
    if (found != all_commands().end()) return &*found;
  }
  return nullptr;
}

bool is_noun(const std::string& word) {
  return std::ranges::any_of(all_commands(), [&](const Command& c) { return in_noun(c, word); });
}

std::string suggestion(const std::vector<std::string>& words) {
  std::vector<std::string_view> names;
  for (const Command& command : all_commands()) names.push_back(command.name);
  std::optional<std::string_view> meant;
  if (words.size() > 1) meant = ctrl::did_you_mean(words[0] + ' ' + words[1], names);
  if (!meant) meant = ctrl::did_you_mean(words[0], names);
  return meant ? "; did you mean \"" + std::string(*meant) + "\"?" : "";
}

}  // namespace wirelay::cli

// What relayctl says of itself.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/command.h"

namespace wirelay::cli {

void print_overview(std::ostream& out);
void print_help(std::ostream& out, const Command& command);
/// The commands of one noun.
void print_noun(std::ostream& out, const std::string& noun);
/// "user add: --rate --rate-up ..." for each command: for shell completion.
void print_words(std::ostream& out);

/// The command that `words` begin with, or null; `used` counts the words of its name.
const Command* find_command(const std::vector<std::string>& words, size_t& used);
bool is_noun(const std::string& word);
/// "; did you mean \"user add\"?", or "".
std::string suggestion(const std::vector<std::string>& words);

}  // namespace wirelay::cli

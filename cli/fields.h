// Requests made of options, and the results that many commands print alike.
#pragma once

#include <string>
#include <vector>

#include <json/value.h>

#include "cli/command.h"

namespace wirelay::cli {

/// "3" as a number, all else as text: the relay says what is wrong with it.
Json::Value number_or_text(const std::string& text);
Json::Value list_of(const std::vector<std::string>& texts);
/// "a,b" and repeated options, in one list without the blanks.
std::vector<std::string> split_commas(const std::vector<std::string>& texts);

/// Prints the result as it is when --json was given; true then.
bool printed_json(Call& call, const Json::Value& result);
/// "added 2 users, 3 peers" of the counts of a change.
void print_changes(Call& call, const Json::Value& counts);
std::string changes_text(const Json::Value& counts);

/// Every entry of a paged list (`list`: "users"), or one page when --after or --limit was given.
/// The result has the form of one page.
Json::Value fetch_list(Call& call, const char* method, const char* list, Json::Value params);
void describe_paging(po::options_description_easy_init& add);

}  // namespace wirelay::cli

// Requests made of options, and the results that many commands print alike.
#pragma once

#include <initializer_list>
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

/// Throws UsageError when `option` is given together with one of `others`.
void exclude(const Call& call, const char* option, std::initializer_list<const char*> others);

/// Prints the result as it is when --json was given; true then.
bool printed_json(Call& call, const Json::Value& result);
/// "added 2 users, 3 peers" of the counts of a change.
/// "warnings" of a result, where there are any.
void print_warnings(Call& call, const Json::Value& result);
void print_changes(Call& call, const Json::Value& counts);
std::string changes_text(const Json::Value& counts);

/// Does to what the arguments name, all or none, what the method does, and prints what that was.
void call_for_names(Call& call, const char* method);
/// Gives the first argument's the second as its name.
void rename_one(Call& call, const char* method);

/// Every entry of a paged list (`list`: "users"), or one page when --after or --limit was given.
/// The result has the form of one page.
Json::Value fetch_list(Call& call, const char* method, const char* list, Json::Value params);
/// With --names: prints the names of the entries, a line each; true then.
bool printed_names(Call& call, const Json::Value& entries);
void describe_paging(po::options_description_easy_init& add);

}  // namespace wirelay::cli

// Many users or peers from one file.
#pragma once

#include "cli/command.h"

namespace wirelay::cli {

/// Adds what the file of --file lists under `list` ("users") through `method`. What fits into one
/// request is added wholly or not at all; more goes in several requests, and a refusal then says
/// how many were added and where it stopped.
void add_from_file(Call& call, const char* method, const char* list);
/// The same with a text {LIST: [...]} of at least one entry; --first holds for it, too.
void add_texts(Call& call, const char* method, const char* list, const std::string& text);
/// Throws UsageError when options are given that only --file gives a meaning.
void check_no_file(const Call& call);
void describe_bulk(po::options_description_easy_init& add, const char* text);

}  // namespace wirelay::cli

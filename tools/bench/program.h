// What the benchmarks have in common as programs: options, help, and exit codes.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/positional_options.hpp>
#include <functional>

namespace wirelay::bench {

/// The options that every benchmark has.
struct CommonOptions {
  bool json = false, brief = false;
};

/// `title` is the head of the help text. `common` outlives the parsing.
boost::program_options::options_description describe_options(const char* title,
                                                             CommonOptions& common);

/// Writes what the command line gives to the variables of `options`. --help prints them and ends
/// the program. Throws boost::program_options::error.
void parse_options(int argc, char** argv,
                   const boost::program_options::options_description& options,
                   const boost::program_options::positional_options_description& plain = {});

/// Runs `body` and returns what it returns. What it throws goes to standard error: 2 for options
/// that cannot be (boost::program_options::error, std::invalid_argument), 1 for all else.
int run_program(const char* name, const std::function<int()>& body);

/// The last processor that this process may run on: the first is the kernel's favourite.
unsigned last_core();

}  // namespace wirelay::bench

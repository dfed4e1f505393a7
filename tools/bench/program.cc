// Reading the command line of a benchmark, see program.h.
#include "tools/bench/program.h"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <boost/program_options/variables_map.hpp>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>

#include <sched.h>

namespace wirelay::bench {

namespace po = boost::program_options;

po::options_description describe_options(const char* title, CommonOptions& common) {
  po::options_description options(title);
  auto add = options.add_options();
  add("help", "this text");
  add("json", po::bool_switch(&common.json), "one JSON document instead of tables");
  add("brief", po::bool_switch(&common.brief), "a little of it for a moment: does it work?");
  return options;
}

void parse_options(int argc, char** argv, const po::options_description& options,
                   const po::positional_options_description& plain) {
  po::variables_map given;
  po::store(po::command_line_parser(argc, argv).options(options).positional(plain).run(), given);
  po::notify(given);
  if (given.contains("help")) {
    std::cout << options;
    std::exit(0);
  }
}

int run_program(const char* name, const std::function<int()>& body) {
  int code = 2;
  try {
    return body();
  } catch (const po::error& error) {
    std::cerr << name << ": " << error.what() << '\n';
  } catch (const std::invalid_argument& error) {
    std::cerr << name << ": " << error.what() << '\n';
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    code = 1;
  }
  return code;
}

unsigned last_core() {
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof cpus, &cpus);
  unsigned last = 0;
  for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &cpus)) last = i;
  }
  return last;
}

}  // namespace wirelay::bench

// relayd: the command line. What starts, runs and ends is Relay's.
#include <boost/program_options.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "crypto/keys.h"
#include "ctrl/base/log.h"
#include "ctrl/base/version.h"
#include "ctrl/host/even_release.h"
#include "ctrl/host/machine.h"
#include "ctrl/host/private_memory.h"
#include "ctrl/host/stop_request.h"
#include "ctrl/host/wiped_heap.h"
#include "ctrl/relay.h"
#include "ctrl/store/beginning.h"

namespace wirelay::ctrl {
namespace {

namespace po = boost::program_options;

constexpr int kFailed = 1, kUsage = 2;

struct Options {
  std::string config;
  bool check = false, verbose = false, version = false, help = false;
};

po::options_description describe(Options& options) {
  po::options_description description("Options");
  auto add = description.add_options();
  add("config",
      po::value(&options.config)->default_value("/etc/wirelay/relayd.json")->value_name("FILE"),
      "the configuration");
  add("check", po::bool_switch(&options.check),
      "check the configuration, say all that is wrong with it, and end");
  add("verbose", po::bool_switch(&options.verbose), "log at level debug, DPDK's own log with it");
  add("version", po::bool_switch(&options.version), "print the version and end");
  add("help", po::bool_switch(&options.help), "print this and end");
  return description;
}

void print_help(const po::options_description& description) {
  std::cout
      << "relayd, the daemon of Wirelay\n\n"
         "Usage: relayd [--verbose] [--config] FILE\n"
         "       relayd --check FILE\n\n"
      << description
      << "\nSignals: SIGTERM and SIGINT end it, SIGHUP reads users, peers and limits again.\n"
         "Exit code: 0 ended when told to, or the configuration is right; 1 could not start,\n"
         "or the configuration is wrong; 2 wrong usage.\n";
}

/// One problem a line. `file` goes in front of paths that lie within it.
void print(const Refused& refused, const std::string& file) {
  for (const std::string& line : lines_of(refused.problems)) std::cerr << file << line << '\n';
}

int check(const Config& config, const std::string& file) {
  for (const std::string& warning : config.warnings) std::cerr << "warning: " << warning << '\n';
  for (const Problem& lack : Machine().lacks(config)) {
    std::cerr << "warning: on this machine it would not start: " << lack.path << ": "
              << lack.message << '\n';
  }
  try {
    check_beginning(config);
  } catch (const Refused& refused) {
    print(refused, "");
    return kFailed;
  }
  std::cout << file << ": all right; users: " << config.users.size()
            << ", peers: " << config.peers.size() << '\n';
  return 0;
}

int start(Config config, const Options& options) {
  hide_memory();
  release_evenly();
  start_log();
  set_log_level(options.verbose ? "debug" : config.log_level);
  // The configuration has just been read: a reload that is asked for before the event loop listens
  // has nothing to do, and must not end the relay.
  std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  note_stop_signals();
  try {
    Relay relay(options.config, std::move(config), options.verbose);
    relay.run();
    return 0;
  } catch (const StopRequest& stop) {
    log_info("{}", stop.what());
    return 0;
  } catch (const Refused& refused) {
    finish_log();  // what was said on the way comes first
    print(refused, options.config + ": ");
  }
  return kFailed;
}

int run(const Options& options) {
  wipe_what_libevent_frees();
  crypto::init_crypto();
  Config config;
  try {
    config = load_config(options.config);
  } catch (const Refused& refused) {
    print(refused, "");
    return kFailed;
  }
  return options.check ? check(config, options.config) : start(std::move(config), options);
}

int main_of(int argc, char** argv) {
  Options options;
  const po::options_description description = describe(options);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv)
                  .options(description)
                  .positional(po::positional_options_description().add("config", 1))
                  .run(),
              values);
    po::notify(values);
  } catch (const po::error& e) {
    std::cerr << "relayd: " << e.what() << "; see relayd --help\n";
    return kUsage;
  }
  if (options.help) {
    print_help(description);
    return 0;
  }
  if (options.version) {
    std::cout << "relayd " << version() << '\n';
    return 0;
  }
  try {
    return run(options);
  } catch (const std::exception& e) {
    finish_log();
    std::cerr << "relayd: " << e.what() << '\n';
    return kFailed;
  }
}

}  // namespace
}  // namespace wirelay::ctrl

int main(int argc, char** argv) { return wirelay::ctrl::main_of(argc, argv); }

// relayctl setup: the first configuration of an installed relay, asked for or taken from options.
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/errors.h"
#include "cli/fields.h"
#include "cli/files.h"
#include "cli/first_config.h"
#include "cli/format.h"
#include "cli/programs.h"
#include "crypto/keys.h"

namespace wirelay::cli {

namespace {

constexpr const char* kUser = "wirelay";  // whom the service runs as

/// What the options do not say is asked for, where somebody is there to answer.
class Questions {
 public:
  explicit Questions(Call& call) : call_(call), somebody_(isatty(STDIN_FILENO) == 1) {}

  /// `otherwise`: what an empty answer stands for; "" when there has to be one.
  std::string ask(const char* option, const char* question, const std::string& otherwise) {
    if (const auto said = call_.text(option)) return *said;
    if (!somebody_) {
      if (otherwise.empty()) missing_.append(missing_.empty() ? "--" : ", --").append(option);
      return otherwise;
    }
    for (;;) {
      call_.err << question << (otherwise.empty() ? "" : " [" + otherwise + "]") << ": "
                << std::flush;
      std::string answer;
      if (!std::getline(call_.in, answer)) throw Failure("nothing was set up");
      if (answer.empty()) answer = otherwise;
      if (!answer.empty()) return answer;
    }
  }
  /// Throws UsageError.
  void finish() const {
    if (missing_.empty()) return;
    throw UsageError("nobody is there to be asked: say " + missing_);
  }

 private:
  Call& call_;
  const bool somebody_;
  std::string missing_;
};

std::string whole_file(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

FirstConfig ask_all(Call& call) {
  const DefaultRoute route = default_route(whole_file("/proc/net/route"));
  Questions questions(call);
  FirstConfig answers;
  answers.interface = questions.ask("interface", "Interface that clients come by", route.interface);
  answers.addresses = split_commas({questions.ask(
      "addresses",
      "The relay's own addresses there, with the length of their network, none of this "
      "machine's (198.51.100.7/24)",
      "")});
  answers.gateways = split_commas(
      {questions.ask("gateways", "Gateways, one of each family at most", route.gateway)});
  answers.udp_port = call.text("udp-port").value_or(answers.udp_port);
  std::string first = answers.addresses.empty() ? "" : answers.addresses.front();
  first = first.substr(0, first.find('/'));
  if (first.find(':') != std::string::npos) first = "[" + first + "]";
  answers.endpoint = questions.ask("endpoint", "Where clients find it, HOST:PORT",
                                   first.empty() ? "" : first + ":" + answers.udp_port);
  answers.tunnel = split_commas({questions.ask(
      "tunnel", "Networks of which clients get their addresses", "10.77.0.0/16,fd77::/64")});
  if (const auto dns = call.text("dns")) answers.dns = split_commas({*dns});
  answers.cores = static_cast<unsigned>(sysconf(_SC_NPROCESSORS_ONLN));
  questions.finish();
  return answers;
}

/// For the service to read, where its user is known; else it stays the caller's.
void give_to_service(const std::string& file, mode_t mode, bool its_own) {
  const passwd* user = getpwnam(kUser);
  if (user == nullptr) return;
  if (chmod(file.c_str(), mode) != 0 ||
      chown(file.c_str(), its_own ? user->pw_uid : geteuid(), user->pw_gid) != 0) {
    throw Failure(file + ": may not be given to the user " + kUser + "; run relayctl as root");
  }
}

std::string make_key(const std::string& file, Call& call) {
  if (!std::filesystem::exists(file)) {
    const crypto::Secret key = crypto::generate_private_key();
    write_secret_file(file, crypto::to_base64(key.bytes()) + "\n", call.out);
  }
  give_to_service(file, 0400, true);
  return crypto::to_base64(crypto::derive_public_key(
      crypto::Secret(*crypto::parse_base64_key(read_key(file, call.in)))));
}

/// What is left to do, for people; empty when the service runs.
std::string start(const std::string& config, bool wanted) {
  const std::string by_hand = "relayd --config " + config;
  if (!std::filesystem::exists("/run/systemd/system")) return by_hand;
  if (!wanted) return "systemctl enable --now wirelay";
  if (run_program({"systemctl", "enable", "wirelay"}) == 0 &&
      run_program({"systemctl", "restart", "wirelay"}) == 0) {
    return "";
  }
  throw Failure("the service does not start; \"journalctl -u wirelay\" tells why");
}

void setup(Call& call) {
  namespace fs = std::filesystem;
  const std::string file = call.text("config").value_or("/etc/wirelay/relayd.json");
  if (fs::exists(file)) {
    throw Failure(file + " is there already: change it, or remove it and begin anew");
  }
  const std::string text = first_config_text(ask_all(call));
  const fs::path folder = fs::absolute(fs::path(file)).parent_path();
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string key = folder / "private.key";
  const std::string public_key = make_key(key, call);
  write_secret_file(file, text, call.out);
  if (run_program({"relayd", "--check", file}) != 0) {
    fs::rename(file, file + ".refused");
    throw Failure("the answers do not make a configuration that relayd takes: see above, and " +
                  file + ".refused");
  }
  give_to_service(file, 0640, false);
  const std::string left = start(file, !call.has("no-start"));

  Json::Value result(Json::objectValue);
  result["config"] = file;
  result["public_key"] = public_key;
  result["started"] = left.empty();
  if (printed_json(call, result)) return;
  call.out
      << "wrote " << file << " and " << key << "\nthe relay's public key: " << public_key << '\n'
      << (left.empty() ? "the relay runs" : "start it with: " + left)
      << "\na first device: relayctl user add alice && relayctl peer add alice-phone --user alice "
         "--generate\n";
}

po::typed_value<std::string>* words(const char* name) {
  return po::value<std::string>()->value_name(name);
}

void describe_setup(po::options_description_easy_init add) {
  add("interface", words("NAME"), "that clients come by; else that of the default route")  //
      ("addresses", words("LIST"),
       "the relay's own there, none of this machine's: 198.51.100.7/24,2001:db8::7/64")  //
      ("gateways", words("LIST"), "one of each family at most; else this machine's")     //
      ("endpoint", words("HOST:PORT"), "what clients are told; else the first address")  //
      ("tunnel", words("LIST"),
       "networks of which clients get addresses; else 10.77.0.0/16,fd77::/64")                   //
      ("dns", words("LIST"), "for client files")                                                 //
      ("udp-port", words("PORT"), "else 51820")                                                  //
      ("config", words("FILE"), "else /etc/wirelay/relayd.json; private.key is made beside it")  //
      ("no-start", "write the files, and leave the service as it is");
}

constexpr std::array kSetupCommands = {
    Command{"setup", "", 0, 0, "make a first configuration and start the installed relay",
            "relayctl setup\n"
            "relayctl setup --interface eth0 --addresses 198.51.100.7/24 --gateways 198.51.100.1",
            describe_setup, setup},
};

}  // namespace

std::span<const Command> setup_commands() { return kSetupCommands; }

}  // namespace wirelay::cli

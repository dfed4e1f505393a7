// From words to a command, and from what it throws to an exit code.
#include <algorithm>
#include <cstdlib>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/errors.h"
#include "cli/format.h"
#include "cli/help.h"
#include "ctrl/base/json.h"

namespace wirelay::cli {

namespace {

constexpr const char* kDefaultSocket = "/run/wirelay/relayd.sock";

/// Options in front of the command, moved to the first option behind it.
std::vector<std::string> command_first(const std::vector<std::string>& words) {
  std::vector<std::string> front, rest;
  size_t i = 0;
  for (; i < words.size() && words[i].starts_with('-'); ++i) {
    front.push_back(words[i]);
    if (words[i] == "--socket" && i + 1 < words.size()) front.push_back(words[++i]);
  }
  rest.assign(words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
  const auto first = std::ranges::find_if(rest, [](const auto& w) { return w.starts_with('-'); });
  rest.insert(first, front.begin(), front.end());
  return rest;
}

po::variables_map parse_options(const Command& command, const std::vector<std::string>& words) {
  po::options_description options = options_of(command);
  options.add_options()(Call::kArguments, po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add(Call::kArguments, -1);
  po::variables_map values;
  try {
    po::store(
        po::command_line_parser(words)
            .options(options)
            .positional(positional)
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run(),
        values);
  } catch (const po::error& error) {
    throw UsageError(error.what());
  }
  return values;
}

void check_arguments(const Command& command, const Call& call) {
  const size_t n = call.arguments().size();
  if (n >= command.least && n <= command.most) return;
  if (command.most == 0) throw UsageError("takes no argument, found \"" + call.argument() + '"');
  throw UsageError("expected " + std::string(command.arguments) + ", found " +
                   (n == 0 ? "nothing" : std::to_string(n) + " arguments"));
}

std::string socket_path(const Call& call) {
  if (const auto given = call.text("socket")) return *given;
  const char* environment = std::getenv("WIRELAY_SOCKET");
  return environment != nullptr && *environment != '\0' ? environment : kDefaultSocket;
}

int run_command(const Command& command, const std::vector<std::string>& words,
                const Streams& streams) {
  const po::variables_map options = parse_options(command, words);
  RelayClient unused("");
  const Call asked(options, unused, streams);
  if (asked.has("help")) {
    print_help(streams.out, command);
    return kDone;
  }
  check_arguments(command, asked);
  RelayClient client(socket_path(asked));
  Call call(options, client, streams);
  command.run(call);
  streams.out.flush();
  if (!streams.out) throw Failure("cannot write the output");
  return kDone;
}

int help(std::vector<std::string> words, const Streams& streams) {
  if (words.size() == 1 && words.front() == "--words") {
    print_words(streams.out);
    return kDone;
  }
  size_t used = 0;
  if (words.empty() || words.front().starts_with('-')) {
    print_overview(streams.out);
  } else if (const Command* command = find_command(words, used)) {
    print_help(streams.out, *command);
  } else if (is_noun(words.front())) {
    print_noun(streams.out, words.front());
  } else {
    throw UsageError("there is no command \"" + words.front() + '"' + suggestion(words));
  }
  return kDone;
}

int dispatch(const std::vector<std::string>& given, const Streams& streams) {
  const auto has = [&](const char* word) { return std::ranges::count(given, word) != 0; };
  std::vector<std::string> words = command_first(given);
  if (words.empty() || words.front().starts_with('-')) {
    if (has("--version")) {
      streams.out << "relayctl " WIRELAY_VERSION "\n";
      return kDone;
    }
    const bool asked = has("--help") || has("-h");
    print_overview(asked ? streams.out : streams.err);
    return asked ? kDone : kUsage;
  }
  if (words.front() == "help") return help({words.begin() + 1, words.end()}, streams);
  size_t used = 0;
  if (const Command* command = find_command(words, used)) {
    return run_command(*command, {words.begin() + static_cast<std::ptrdiff_t>(used), words.end()},
                       streams);
  }
  if (is_noun(words.front()) && (words.size() == 1 || words[1].starts_with('-'))) {
    const bool asked = has("--help") || has("-h");
    print_noun(asked ? streams.out : streams.err, words.front());
    return asked ? kDone : kUsage;
  }
  std::string typed = words.front();
  if (is_noun(typed)) typed += ' ' + words[1];
  throw UsageError("there is no command \"" + typed + '"' + suggestion(words));
}

std::string without_params(std::string_view path) {
  if (path == "params") return "";
  if (path.starts_with("params.")) path.remove_prefix(7);
  return std::string(path);
}

/// Each problem on a line, with the field as the command's user knows it.
void print_refusal(std::ostream& err, const RelayRefused& refused) {
  const Json::Value& data = refused.error["data"];
  if (!data.isObject() || !data["problems"].isArray() || data["problems"].empty()) {
    err << "relayctl: " << printable(refused.what()) << '\n';
  } else {
    for (const Json::Value& problem : data["problems"]) {
      const std::string path = without_params(problem["path"].asString());
      err << "relayctl: " << printable(path) << (path.empty() ? "" : ": ")
          << printable(problem["message"].asString()) << '\n';
    }
    const auto told = data["problems"].size();
    if (const uint64_t found = data["problems_found"].asUInt64(); found > told) {
      err << "relayctl: and " << found - told << " more problems\n";
    }
    if (data.isMember("problems_complete")) {
      err << "relayctl: and perhaps more: the relay ended its search here\n";
    }
  }
  err << "relayctl: "
      << (refused.note.empty() ? "refused; nothing was changed" : printable(refused.note)) << '\n';
}

/// The exit code when it is done or refused.
int run_or_refuse(const std::vector<std::string>& words, const Streams& streams) {
  try {
    return dispatch(words, streams);
  } catch (const RelayRefused& error) {
    if (std::ranges::count(words, "--json") != 0) {
      Json::Value result(Json::objectValue);
      result["error"] = error.error;
      streams.out << ctrl::write_json_file(result);
    }
    print_refusal(streams.err, error);
    return kRefused;
  }
}

}  // namespace

int run(const std::vector<std::string>& words, const Streams& streams) {
  const auto say = [&](const std::string& text) { streams.err << "relayctl: " << text << '\n'; };
  try {
    return run_or_refuse(words, streams);
  } catch (const UsageError& error) {
    say(error.what());
    say("\"relayctl help\" lists the commands, \"relayctl help COMMAND\" tells of one");
    return kUsage;
  } catch (const Unreachable& error) {
    say(error.what());
    return kUnreachable;
  } catch (const Json::Exception& error) {
    say(printable(strange_reply(error)));
    return kUnreachable;
  } catch (const std::exception& error) {
    say(printable(error.what()));
    return kRefused;
  }
}

}  // namespace wirelay::cli

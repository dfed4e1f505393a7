// The calls of a line, one after the other, and the ways of what they ask.
#include "ctrl/api/exchange.h"

#include <utility>

#include <fmt/format.h>

#include "ctrl/api/change_line.h"
#include "ctrl/api/render.h"
#include "ctrl/base/json.h"
#include "ctrl/base/json_reader.h"
#include "ctrl/base/log.h"
#include "ctrl/events/render.h"

namespace wirelay::ctrl::api {

namespace {

/// StoreError becomes what a client can tell from others.
void rethrow_as_no_store(const std::exception_ptr& error) {
  try {
    if (error) std::rethrow_exception(error);
  } catch (const StoreError& of_store) {
    throw ApiError(kNoStore, of_store.what());
  }
}

Json::Value reload_result(const ReloadOutcome& outcome, const ReloadOptions& options) {
  rethrow_as_no_store(outcome.error);
  Json::Value result = to_json(outcome.counts);
  result["needs_restart"] = to_json(outcome.needs_restart);
  add_warnings(result, outcome.warnings);
  if (options.dry_run) result["difference"] = to_json(outcome.difference);
  return result;
}

/// What was wrong.
std::exception_ptr read_store_for(Query& query, const Database* store) {
  try {
    if (store == nullptr) {
      throw StoreError("the relay keeps nothing: \"store\" is \"none\", or cannot be written");
    }
    query.read(*store);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

template <typename Answer>
void answer_with(const std::shared_ptr<Query>& query, const std::exception_ptr& error,
                 const Answer& answer) {
  const size_t entries = error ? 0 : query->entries();
  answer(
      [query, error] {
        rethrow_as_no_store(error);
        return query->result();
      },
      entries);
}

Json::Value change_result(const ChangeOutcome& outcome) {
  rethrow_as_no_store(outcome.error);
  Json::Value result = to_json(outcome.counts);
  add_warnings(result, lines_of(outcome.warnings));
  return result;
}

}  // namespace

Exchange::Exchange(const Desk& desk, std::string_view line, const ExchangeLimits& limits,
                   Caller caller, std::function<void()> wake)
    : desk_(desk),
      limits_(limits),
      caller_(caller),
      wake_(std::move(wake)),
      time_(limits.batch_time) {
  try {
    message_ = read_message(line, limits.message);
  } catch (const ApiError& error) {
    add_reply(error_reply("null", error.code, error.what()));
  }
}

Exchange::~Exchange() {
  for (Call& call : message_.calls) wipe_texts(call.request);  // keys may be among them
}

void Exchange::step() {
  if (done() || waiting()) return;
  Call& call = message_.calls[next_];
  if (!under_way_) begin(call);
  if (!answer_) return;
  finish(call, std::exchange(answer_, nullptr));
  answer_entries_ = 0;
  wipe_texts(call.request);
  under_way_ = false;
  ++next_;
}

std::string Exchange::take_reply() {
  if (!reply_.empty()) reply_ += message_.batch ? "]\n" : "\n";
  return std::move(reply_);
}

void Exchange::begin(const Call& call) {
  under_way_ = true;
  try {
    if (const char* wrong = malformed(call.request)) throw ApiError(kInvalidRequest, wrong);
    check_limits();
    begin_call(call.request);
  } catch (...) {
    answer_ = [error = std::current_exception()]() -> Json::Value {
      std::rethrow_exception(error);
    };
  }
}

/// A call that has begun is not given up: a batch is.
void Exchange::check_limits() const {
  if (reply_.size() > limits_.batch_reply_bytes) {
    throw ApiError(kReplyTooLarge, "not done: the replies of this batch are too large; ask again");
  }
  if (time_.over()) {
    throw ApiError(kTooLong, "not done: this batch has taken more than " +
                                 std::to_string(limits_.batch_time.count()) +
                                 " s already; ask again");
  }
}

void Exchange::begin_call(const Json::Value& request) {
  static const Json::Value kNoParams(Json::objectValue);
  const Json::Value& params = request.isMember("params") ? request["params"] : kNoParams;
  const Method& method = find_method(request["method"].asString());
  if (!params.isObject()) {
    throw Refused("params", expected(params, "an object with named fields"));
  }
  Begun begun = method.begin(params);
  check_right(method.name, begun);
  if (auto* result = std::get_if<Json::Value>(&begun)) {
    answer_ = [result = std::move(*result)] { return result; };
  } else if (auto* query = std::get_if<std::shared_ptr<Query>>(&begun)) {
    ask(std::move(*query));
  } else if (auto* steps = std::get_if<std::vector<Step>>(&begun)) {
    change(method.name, std::move(*steps));
  } else if (auto* events = std::get_if<EventsRequest>(&begun)) {
    events->follow ? subscribe(std::move(*events)) : list(*events);
  } else if (auto* backup = std::get_if<BackupRequest>(&begun)) {
    back_up(std::move(backup->file));
  } else if (const auto* end = std::get_if<DrainRequest>(&begun)) {
    drain(*end);
  } else {
    reload(std::get<ReloadOptions>(begun));
  }
}

void Exchange::list(const EventsRequest& request) {
  std::vector<events::EventRef> found =
      desk_.events.after(request.since.value_or(0), request.filter, request.limit + 1);
  const bool more = cut_page(found, request.limit);
  answer_entries_ = found.size();
  answer_ = [found = std::move(found), more] {
    Json::Value result(Json::objectValue);
    Json::Value& list = result["events"] = Json::arrayValue;
    for (const events::EventRef& event : found) list.append(events::to_json(*event));
    result["next"] = more ? count(found.back()->number) : Json::Value();
    return result;
  };
}

/// Those who may only read leave half of the places to those who may do all.
void Exchange::subscribe(EventsRequest request) {
  const size_t most =
      desk_.right == Right::kChange ? events::kMostReaders : events::kMostReaders / 2;
  if (desk_.events.readers() >= most) {
    throw ApiError(kBusy, fmt::format("{} connections read events already", most));
  }
  subscription_ = std::move(request);
  answer_ = [newest = desk_.events.newest()] {
    Json::Value result(Json::objectValue);
    result["newest"] = count(newest);
    return result;
  };
}

void Exchange::check_right(std::string_view method, const Begun& begun) const {
  if (desk_.right == Right::kChange || std::holds_alternative<Json::Value>(begun) ||
      std::holds_alternative<EventsRequest>(begun)) {
    return;
  }
  const auto* query = std::get_if<std::shared_ptr<Query>>(&begun);
  if (query != nullptr && !(*query)->secret()) return;
  const char* what = query != nullptr ? "shows keys" : "changes things";
  const ApiError error(kForbidden,
                       fmt::format("{} {}, and this socket is only for reading", method, what));
  ChangeLine(caller_, method, {}).log(std::make_exception_ptr(error), {});
  throw error;
}

std::function<void(Exchange::MakeResult, size_t)> Exchange::answerer() {
  return [&loop = desk_.loop, asker = weak_from_this()](MakeResult result, size_t entries) {
    loop.post([asker, result = std::move(result), entries]() mutable {
      const auto self = asker.lock();
      if (!self) return;  // its client has left
      self->answer_ = std::move(result);
      self->answer_entries_ = entries;
      self->wake_();
    });
  };
}

void Exchange::ask(std::shared_ptr<Query> query) {
  desk_.relay.collect([query = std::move(query), answer = answerer(), asker = weak_from_this()](
                          const RelayFace& relay, const Slice& slice) {
    if (asker.expired()) return true;
    std::exception_ptr error;
    try {
      if (!query->collect(relay, slice)) return false;
    } catch (...) {
      error = std::current_exception();
    }
    if (!error && query->reads_store()) {
      relay.look([query, answer](const Database* store) {
        answer_with(query, read_store_for(*query, store), answer);
      });
    } else {
      answer_with(query, error, answer);
    }
    return true;
  });
}

void Exchange::drain(const DrainRequest& request) {
  ChangeLine line(caller_, "relay.drain", {});
  desk_.relay.drain(request.seconds, [line, answer = answerer()](const DrainStatus& status) {
    line.log(nullptr, {});
    answer([status] { return to_json(status); }, 0);
  });
}

void Exchange::back_up(std::string file) {
  ChangeLine line(caller_, "store.backup", {});
  desk_.relay.back_up(
      file, [answer = answerer(), line = std::move(line), file](const std::exception_ptr& error) {
        line.log(error, {});
        answer(
            [error, file]() -> Json::Value {
              rethrow_as_no_store(error);
              Json::Value result(Json::objectValue);
              result["file"] = file;
              return result;
            },
            0);
      });
}

void Exchange::change(std::string_view method, std::vector<Step> steps) {
  ChangeLine line(caller_, method, steps);
  ChangeRequest request;
  request.caller = caller_;
  request.what = method;
  request.steps = std::move(steps);
  desk_.relay.change(std::move(request),
                     [answer = answerer(), line = std::move(line)](const ChangeOutcome& outcome) {
                       line.log(outcome.error, outcome.counts);
                       answer([outcome] { return change_result(outcome); }, 0);
                     });
}

void Exchange::reload(ReloadOptions options) {
  options.caller = caller_;
  const char* what = options.dry_run ? "config.reload (dry run)"
                     : options.force ? "config.reload (forced)"
                                     : "config.reload";
  ChangeLine line(caller_, what, {});
  desk_.relay.reload(options, [answer = answerer(), line = std::move(line),
                               options](const ReloadOutcome& outcome) {
    line.log(outcome.error, outcome.counts);
    answer([outcome, options] { return reload_result(outcome, options); }, 0);
  });
}

void Exchange::finish(const Call& call, const MakeResult& result) {
  std::string reply;
  try {
    Json::Value value = result();
    reply = result_reply(call.id, value);
    wipe_texts(value);  // it may show keys
  } catch (const Refused& refused) {
    reply = refused_reply(call.id, refused);
  } catch (const ApiError& error) {
    const bool unread = error.code == kInvalidRequest;  // whatever it is, it is no notification
    reply = error_reply(unread ? "null" : call.id, error.code, error.what(), error.data);
    if (unread) return add_reply(reply);
  } catch (const std::exception& error) {
    log_error("API: {} failed: {}", call.request["method"].asString(), error.what());
    reply = error_reply(call.id, kInternalError, std::string("internal error: ") + error.what());
  }
  if (!call.notification()) add_reply(reply);
}

void Exchange::add_reply(const std::string& reply) {
  if (message_.batch) reply_ += reply_.empty() ? '[' : ',';
  reply_ += reply;
}

std::string event_line(const events::Event& event) {
  return R"({"jsonrpc":"2.0","method":"event","params":)" + write_json(events::to_json(event)) +
         "}\n";
}

std::string too_long_reply(const MessageLimits& limits) {
  return error_reply("null", kInvalidRequest,
                     "a line holds at most " + std::to_string(limits.line_bytes) +
                         " bytes; send several requests") +
         '\n';
}

}  // namespace wirelay::ctrl::api

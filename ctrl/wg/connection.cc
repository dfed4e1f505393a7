// "get=1" and "set=1", each with an empty line behind it.
#include "ctrl/wg/connection.h"

#include <algorithm>
#include <cerrno>
#include <stop_token>
#include <string_view>
#include <utility>

#include <event2/buffer.h>
#include <fmt/format.h>

#include "crypto/keys.h"
#include "ctrl/api/change_line.h"
#include "ctrl/base/log.h"
#include "ctrl/base/log_limiter.h"
#include "ctrl/base/problem.h"

namespace wirelay::ctrl::wg {

namespace {

constexpr size_t kMostBytes = 64u << 20;  // of a request: about 250,000 peers
constexpr timeval kPatience{30, 0};       // for the rest of a request, and with who does not read
constexpr std::string_view kGet = "get=1\n", kSet = "set=1\n", kEnd = "\n\n";

/// Keys are in it.
struct SecretText {
  explicit SecretText(std::string text_) : text(std::move(text_)) {}
  ~SecretText() { crypto::wipe(text.data(), text.size()); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  std::string text;
};

/// As the interface tells them: below zero. `wg` prints what errno that is, and the log the rest.
int code_of(const std::exception_ptr& error) {
  if (!error) return 0;
  try {
    std::rethrow_exception(error);
  } catch (const Refused& refused) {
    for (const std::string& line : lines_of(refused.problems, 1)) {
      log_limited(LogLevel::kWarning, "wg.refused", "wg: refused: {}", line);
    }
    return -EINVAL;
  } catch (const std::exception& failed) {
    log_limited(LogLevel::kWarning, "wg.failed", "wg: failed: {}", failed.what());
    return -EIO;
  }
}

}  // namespace

Connection::Connection(const Office& office, evutil_socket_t fd, Caller caller,
                       std::function<void(Connection& self)> ended)
    : office_(office),
      caller_(caller),
      ended_(std::move(ended)),
      stream_(bufferevent_socket_new(office.loop.base(), fd, BEV_OPT_CLOSE_ON_FREE)) {
  bufferevent_setcb(stream_.get(), on_read, on_drained, on_event, this);
  bufferevent_set_timeouts(stream_.get(), &kPatience, &kPatience);
  bufferevent_enable(stream_.get(), EV_READ | EV_WRITE);
}

Connection::~Connection() = default;

void Connection::take_request() {
  if (busy_) return;
  evbuffer* input = bufferevent_get_input(stream_.get());
  const size_t bytes = evbuffer_get_length(input);
  if (bytes > kMostBytes) return end();
  evbuffer_ptr from;
  evbuffer_ptr_set(input, &from, searched_, EVBUFFER_PTR_SET);
  const evbuffer_ptr found = evbuffer_search(input, kEnd.data(), kEnd.size(), &from);
  if (found.pos < 0) {
    searched_ = bytes == 0 ? 0 : bytes - 1;
    return;
  }
  searched_ = 0;
  busy_ = true;
  bufferevent_disable(stream_.get(), EV_READ);
  std::string text(static_cast<size_t>(found.pos) + 1, '\0');
  evbuffer_remove(input, text.data(), text.size());
  evbuffer_drain(input, 1);
  if (text == kGet) {
    get();
  } else if (text.starts_with(kSet)) {
    set(std::move(text));
  } else {
    end();
  }
}

/// It goes with its owner's part in it: nothing of it is used behind that.
void Connection::end() {
  const auto ended = ended_;
  ended(*this);
}

void Connection::get() {
  last_.clear();
  listing_ = true;
  send(fmt::format("listen_port={}\n", office_.device.listen_port));
}

/// The next page when this one has left: a reader that is slow costs a page, no more.
void Connection::on_drained(bufferevent*, void* self) {
  auto& connection = *static_cast<Connection*>(self);
  if (!std::exchange(connection.listing_, false)) return;
  connection.office_.relay.collect(
      [page = std::make_shared<PeerPage>(connection.last_), asker = connection.weak_from_this(),
       &loop = connection.office_.loop](const RelayFace& relay, const Slice& slice) {
        if (asker.expired()) return true;
        if (!page->collect(relay, slice)) return false;
        loop.post([page, asker] {
          if (const auto still = asker.lock()) still->send_page(*page);
        });
        return true;
      });
}

void Connection::send_page(const PeerPage& page) {
  last_ = page.last();
  if (last_.empty()) return end_request(0);
  listing_ = true;
  SecretText text(page.text());
  send(text.text);
}

/// Read and made steps of on the door's thread: it may be much.
void Connection::set(std::string text) {
  ChangeRequest request;
  request.caller = caller_;
  request.what = "wg set";
  request.make_steps = [text = std::make_shared<SecretText>(std::move(text)),
                        device = office_.device](const Registry& registry,
                                                 const std::stop_token& stop) {
    const std::string_view lines = std::string_view(text->text).substr(kSet.size());
    return steps_of(registry, read_request(lines), device, stop);
  };
  api::ChangeLine line(caller_, "wg set", {});
  office_.relay.change(std::move(request), [line = std::move(line), asker = weak_from_this(),
                                            &loop = office_.loop](const ChangeOutcome& outcome) {
    line.log(outcome.error, outcome.counts);
    loop.post([asker, code = code_of(outcome.error)] {
      if (const auto still = asker.lock()) still->end_request(code);
    });
  });
}

void Connection::send(const std::string& text) {
  bufferevent_write(stream_.get(), text.data(), text.size());
}

void Connection::end_request(int error) {
  send(fmt::format("errno={}\n\n", error));
  busy_ = false;
  bufferevent_enable(stream_.get(), EV_READ);
  take_request();
}

void Connection::on_read(bufferevent*, void* self) {
  static_cast<Connection*>(self)->take_request();
}

void Connection::on_event(bufferevent*, short what, void* self) {
  if ((what & BEV_EVENT_CONNECTED) != 0) return;
  static_cast<Connection*>(self)->end();
}

}  // namespace wirelay::ctrl::wg

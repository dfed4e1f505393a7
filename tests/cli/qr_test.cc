// Protects QR codes: terminal and pictures show the same modules, within the margin that readers
// need; and a phone is given what it can use.
#include "cli/qr.h"

#include <cstdint>
#include <regex>

#include <cppunit/extensions/HelperMacros.h>

#include "cli/errors.h"
#include "crypto/keys.h"
#include "tests/cli/relayctl_fixture.h"

namespace wirelay::cli {

namespace {

constexpr ptrdiff_t kMargin = 4;

/// A row of modules, margin and all: '#' dark, '.' light.
using Rows = std::vector<std::string>;

Rows rows_of(const QrCode& code) {
  const ptrdiff_t end = static_cast<ptrdiff_t>(code.size()) + kMargin;
  Rows rows;
  for (ptrdiff_t y = -kMargin; y < end; ++y) {
    std::string& row = rows.emplace_back();
    for (ptrdiff_t x = -kMargin; x < end; ++x) row += code.dark(x, y) ? '#' : '.';
  }
  return rows;
}

/// What a terminal shows, a row behind the last one left out.
Rows rows_of_terminal(const std::string& text, size_t count) {
  Rows rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const std::string begin = "\033[40;97m", end = "\033[0m";
    CPPUNIT_ASSERT(line.starts_with(begin) && line.ends_with(end));
    line = line.substr(begin.size(), line.size() - begin.size() - end.size());
    std::string upper, lower;
    while (!line.empty()) {
      const bool both = line.starts_with("█"), top = line.starts_with("▀");
      const bool none = line[0] == ' ';
      CPPUNIT_ASSERT(both || top || none || line.starts_with("▄"));
      upper += both || top ? '.' : '#';
      lower += none || top ? '#' : '.';
      line.erase(0, none ? 1 : 3);
    }
    rows.push_back(upper);
    rows.push_back(lower);
  }
  CPPUNIT_ASSERT(rows.size() - count <= 1);
  rows.resize(count);
  return rows;
}

uint32_t number_at(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes.at(at + i));
  return value;
}

/// The data of the chunk of that type.
std::string chunk_of(const std::string& png, const std::string& type) {
  const size_t at = png.find(type);
  CPPUNIT_ASSERT(at != std::string::npos);
  return png.substr(at + 4, number_at(png, at - 4));
}

/// The bytes of stored blocks.
std::string unpacked(const std::string& stream) {
  std::string bytes;
  size_t at = 2;
  for (bool last = false; !last;) {
    last = stream.at(at) == 1;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(stream.at(at + i)); };
    const size_t length = byte(1) | byte(2) << 8;
    CPPUNIT_ASSERT_EQUAL(size_t{0xffff}, length ^ (byte(3) | static_cast<size_t>(byte(4)) << 8));
    bytes += stream.substr(at + 5, length);
    at += 5 + length;
  }
  CPPUNIT_ASSERT_EQUAL(stream.size(), at + 4);
  return bytes;
}

/// One point of each module.
Rows rows_of_png(const std::string& png) {
  CPPUNIT_ASSERT(png.starts_with("\x89PNG\r\n\x1a\n"));
  const std::string header = chunk_of(png, "IHDR");
  const size_t points = number_at(header, 0), line = 1 + points / 8;
  CPPUNIT_ASSERT_EQUAL(std::string("\1\0\0\0\0", 5), header.substr(8));
  const std::string picture = unpacked(chunk_of(png, "IDAT"));
  CPPUNIT_ASSERT_EQUAL(line * points, picture.size());
  Rows rows;
  for (size_t y = 4; y < points; y += 8) {
    std::string& row = rows.emplace_back();
    for (size_t x = 1; x < line; ++x) {
      const auto eight = static_cast<uint8_t>(picture[y * line + x]);
      CPPUNIT_ASSERT(eight == 0 || eight == 0xff);
      row += eight == 0 ? '#' : '.';
    }
  }
  return rows;
}

Rows rows_of_svg(const std::string& svg, size_t count) {
  Rows rows(count, std::string(count, '.'));
  static const std::regex kRun(R"(M(\d+) (\d+)h(\d+)v1H(\d+)z)");
  for (std::sregex_iterator run(svg.begin(), svg.end(), kRun), end; run != end; ++run) {
    const size_t x = std::stoul((*run)[1]), width = std::stoul((*run)[3]);
    CPPUNIT_ASSERT_EQUAL((*run)[1].str(), (*run)[4].str());
    rows.at(std::stoul((*run)[2])).replace(x, width, width, '#');
  }
  return rows;
}

}  // namespace

class QrTest : public test::RelayctlFixture {
  CPPUNIT_TEST_SUITE(QrTest);
  CPPUNIT_TEST(all_forms_show_the_same);
  CPPUNIT_TEST(too_much_for_a_code);
  CPPUNIT_TEST(client_files_for_phones);
  CPPUNIT_TEST(a_phone_needs_the_private_key);
  CPPUNIT_TEST_SUITE_END();

 public:
  void all_forms_show_the_same() {
    for (const size_t bytes : {1u, 40u, 400u, 2900u}) {
      const QrCode code(std::string(bytes, 'x'));
      const Rows rows = rows_of(code);
      CPPUNIT_ASSERT_EQUAL(code.size() + 8, rows.size());
      CPPUNIT_ASSERT_EQUAL(std::string(rows.size(), '.'), rows[3]);
      CPPUNIT_ASSERT_EQUAL(std::string("....#######."), rows[4].substr(0, 12));  // a finder
      CPPUNIT_ASSERT(rows == rows_of_terminal(qr_terminal(code), rows.size()));
      CPPUNIT_ASSERT(rows == rows_of_png(qr_png(code)));
      CPPUNIT_ASSERT(rows == rows_of_svg(qr_svg(code), rows.size()));
    }
    // CRC-32 and Adler-32 as zlib computes them.
    const std::string png = qr_png(QrCode("x"));
    CPPUNIT_ASSERT_EQUAL(uint32_t{0xae426082}, number_at(png, png.size() - 4));
  }

  void too_much_for_a_code() { CPPUNIT_ASSERT_THROW(QrCode(std::string(2954, 'x')), Failure); }

  void client_files_for_phones() {
    done("user add alice");
    const std::string png = lab_->folder / "phone.png", svg = lab_->folder / "phone.svg";
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32 --generate --qr --qr-png " + png +
         " --qr-svg " + svg);
    CPPUNIT_ASSERT(out_.starts_with("\033[40;97m█"));
    CPPUNIT_ASSERT(out_.find("PrivateKey") == std::string::npos);
    CPPUNIT_ASSERT(test::text_of(png).starts_with("\x89PNG"));
    CPPUNIT_ASSERT(test::text_of(svg).starts_with("<svg "));
    const std::string once = out_, file = lab_->folder / "phone.conf";
    done("peer rotate phone --qr --output " + file);
    CPPUNIT_ASSERT(out_.starts_with("\033[40;97m█") && out_ != once);
    has(test::text_of(file), "PrivateKey = ");
    has(test::text_of(file), "AllowedIPs = 0.0.0.0/0\n");
  }

  void a_phone_needs_the_private_key() {
    done("user add alice");
    done("peer add phone --user alice --allowed-ips 10.77.0.2/32 --public-key " + kKey);
    CPPUNIT_ASSERT_EQUAL(int{kRefused}, relayctl("peer config phone --qr"));
    has(err_, "a phone needs the private key");
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, relayctl("peer config phone --qr --json"));
    CPPUNIT_ASSERT_EQUAL(int{kUsage}, relayctl("peer add pad --user alice --qr --public-key x"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(QrTest);

}  // namespace wirelay::cli

// Configuration files that tests write and load.
#pragma once

#include <string>

#include <cppunit/extensions/HelperMacros.h>
#include <sys/stat.h>

#include "ctrl/config/config.h"
#include "tests/support/temp_dir.h"

namespace wirelay::ctrl {

inline const std::string kKey = crypto::to_base64(crypto::Bytes32{1, 2, 3});
inline const std::string kOtherKey = crypto::to_base64(crypto::Bytes32{4, 5, 6});

inline constexpr const char* kPorts = R"("ports": [
    {"name": "wan", "device": "net_af_packet0,iface=eth0",
     "addresses": ["198.51.100.1/24", "2001:db8::1/64"], "gateways": ["198.51.100.254"]},
    {"name": "inet", "device": "0000:3b:00.1", "addresses": ["192.0.2.2/24"],
     "gateways": ["192.0.2.1"], "egress": true}])";

/// A folder with a private key and a configuration that names it.
class ConfigFiles : public CppUnit::TestFixture {
 public:
  void setUp() override {
    key_file_ = dir_.write("private.key", kKey + "\n");
    chmod(key_file_.c_str(), 0600);
  }

 protected:
  void write(const std::string& fields) {
    file_ = dir_.write("relayd.json",
                       R"({"identity": {"private_key_file": "private.key"}, )" + fields + "}");
  }
  Config load(const std::string& extra = "") {
    write(kPorts + (extra.empty() ? "" : ", " + extra));
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    return load_config(file_);
  }
  static std::string problems_of(const std::string& file) {
    std::string text;
    try {
      load_config(file);
    } catch (const Refused& refused) {
      for (const Problem& p : refused.problems) text += p.path + ": " + p.message + '\n';
    }
    return text;
  }
  static void assert_problem(const std::string& file, const std::string& part) {
    const std::string problems = problems_of(file);
    CPPUNIT_ASSERT_MESSAGE(part + " is not in: " + problems,
                           problems.find(part) != std::string::npos);
  }
  /// The warnings of a right file, without its name in front.
  std::string warned(const std::string& fields) {
    write(fields);
    CPPUNIT_ASSERT_EQUAL(std::string(), problems_of(file_));
    std::string text;
    for (const std::string& warning : load_config(file_).warnings) {
      CPPUNIT_ASSERT(warning.starts_with(file_ + ": "));
      text += warning.substr(file_.size() + 2) + '\n';
    }
    return text;
  }
  void assert_refused(const std::string& extra, const std::string& part) {
    assert_refused_ports(kPorts + (extra.empty() ? "" : ", " + extra), part);
  }
  void assert_refused_ports(const std::string& fields, const std::string& part) {
    write(fields);
    assert_problem(file_, part);
  }

  test::TempDir dir_;
  std::string key_file_, file_;
};

}  // namespace wirelay::ctrl

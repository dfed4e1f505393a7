// Protects what Prometheus reads: the format that it asks for, names and labels that it takes.
#include "ctrl/http/exposition.h"

#include <cppunit/extensions/HelperMacros.h>

#include "ctrl/http/metric_name.h"

namespace wirelay::ctrl::http {
namespace {

class ExpositionTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExpositionTest);
  CPPUNIT_TEST(what_a_client_takes);
  CPPUNIT_TEST(prometheus);
  CPPUNIT_TEST(open_metrics);
  CPPUNIT_TEST(any_text_may_be_a_label);
  CPPUNIT_TEST(names);
  CPPUNIT_TEST_SUITE_END();

 public:
  void what_a_client_takes() {
    const auto open = [](std::string_view accept) {
      return choose_format(accept) == Format::kOpenMetrics;
    };
    CPPUNIT_ASSERT(!open(""));
    CPPUNIT_ASSERT(!open("*/*"));
    CPPUNIT_ASSERT(!open("text/html, */*;q=0.8"));
    CPPUNIT_ASSERT(open("application/openmetrics-text"));
    CPPUNIT_ASSERT(  // Prometheus 2.42
        open("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
             "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
    CPPUNIT_ASSERT(!open("application/openmetrics-text;q=0.3 , text/plain ; q=0.5"));
    CPPUNIT_ASSERT(!open("application/openmetrics-text;q=0"));
    CPPUNIT_ASSERT(!open(",;,;q=,;q=x,application/openmetrics-text;q=2"));
  }

  void prometheus() {
    CPPUNIT_ASSERT_EQUAL(std::string("# HELP relay_x_total what\\nit \"is\"\n"
                                     "# TYPE relay_x_total counter\n"
                                     "relay_x_total{port=\"wan\"} 18446744073709551615\n"
                                     "relay_x_total{port=\"inet\"} 2\n"
                                     "# HELP relay_t_seconds time\n"
                                     "# TYPE relay_t_seconds gauge\n"
                                     "relay_t_seconds 0.25\n"
                                     "# HELP relay_info who\n"
                                     "# TYPE relay_info gauge\n"
                                     "relay_info{version=\"1\"} 1\n"),
                         text(Format::kPrometheus));
  }

  void open_metrics() {
    CPPUNIT_ASSERT_EQUAL(std::string("# HELP relay_x what\\nit \\\"is\\\"\n"
                                     "# TYPE relay_x counter\n"
                                     "relay_x_total{port=\"wan\"} 18446744073709551615\n"
                                     "relay_x_total{port=\"inet\"} 2\n"
                                     "# HELP relay_t_seconds time\n"
                                     "# TYPE relay_t_seconds gauge\n"
                                     "relay_t_seconds 0.25\n"
                                     "# HELP relay who\n"
                                     "# TYPE relay info\n"
                                     "relay_info{version=\"1\"} 1\n"
                                     "# EOF\n"),
                         text(Format::kOpenMetrics));
  }

  void any_text_may_be_a_label() {
    Exposition out(Format::kPrometheus);
    out.family("x", MetricType::kGauge, "");
    out.sample({{"a", "\\ \" \n"}, {"b", ""}}, uint64_t{0});
    const std::string all = out.finish();
    CPPUNIT_ASSERT(all.ends_with("x{a=\"\\\\ \\\" \\n\",b=\"\"} 0\n"));
  }

  void names() {
    CPPUNIT_ASSERT_EQUAL(std::string("relay_port_rx_packets"),
                         metric_name("relay_port", "rx_packets").family);
    const MetricName refused = metric_name("relay_handshakes", "refused.bad_message");
    CPPUNIT_ASSERT_EQUAL(std::string("relay_handshakes_refused"), refused.family);
    CPPUNIT_ASSERT_EQUAL(std::string("reason bad_message"), refused.label + ' ' + refused.value);
    CPPUNIT_ASSERT(help_of(refused).starts_with("handshakes refused, by reason"));
    const MetricName longest = metric_name("relay_control", "longest_cpu_us");
    CPPUNIT_ASSERT_EQUAL(std::string("relay_control_longest_cpu_seconds"), longest.family);
    CPPUNIT_ASSERT_EQUAL(1e6, longest.per_unit);
    const MetricName over = metric_name("relay_control", "over_20_ms");
    CPPUNIT_ASSERT_EQUAL(std::string("relay_control_turns_over"), over.family);
    CPPUNIT_ASSERT_EQUAL(std::string("cpu_seconds 0.02"), over.label + ' ' + over.value);
  }

 private:
  static std::string text(Format format) {
    Exposition out(format);
    out.family("relay_x", MetricType::kCounter, "what\nit \"is\"");
    out.sample({{"port", "wan"}}, UINT64_MAX);
    out.family("relay_x", MetricType::kCounter, "what\nit \"is\"");  // goes on
    out.sample({{"port", "inet"}}, uint64_t{2});
    out.single("relay_t_seconds", MetricType::kGauge, "time", 0.25);
    out.family("relay", MetricType::kInfo, "who");
    out.sample({{"version", "1"}}, uint64_t{1});
    return out.finish();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExpositionTest);

}  // namespace
}  // namespace wirelay::ctrl::http

// Devices by their text form.
#include "ctrl/host/device.h"

#include <regex>

namespace wirelay::ctrl {

std::optional<std::string> Device::argument(std::string_view key) const {
  for (size_t at = text.find(','); at != std::string::npos;) {
    const size_t end = text.find(',', at + 1);
    const std::string_view item = std::string_view(text).substr(
        at + 1, end == std::string::npos ? std::string::npos : end - at - 1);
    if (item.size() > key.size() && item.starts_with(key) && item[key.size()] == '=') {
      return std::string(item.substr(key.size() + 1));
    }
    at = end;
  }
  return std::nullopt;
}

Device parse_device(const std::string& text) {
  static const std::regex kPci(
      "(?:pci:)?((?:[0-9a-fA-F]{4,8}:)?)"
      "([0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7])((?:,.*)?)");
  if (std::smatch match; std::regex_match(text, match, kPci)) {
    std::string name = (match.length(1) == 0 ? "0000:" : match.str(1)) + match.str(2);
    for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c);
    return {Device::Bus::kPci, name, "", name + match.str(3)};
  }
  const std::string head = text.substr(0, text.find(','));
  if (const size_t colon = head.find(':'); colon != std::string::npos) {
    return {Device::Bus::kOther, head.substr(colon + 1), "", text};
  }
  std::string driver = head;
  while (!driver.empty() && driver.back() >= '0' && driver.back() <= '9') driver.pop_back();
  return {Device::Bus::kVirtual, head, driver, text};
}

}  // namespace wirelay::ctrl

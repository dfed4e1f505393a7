// Problems as lines, places as text.
#include "ctrl/base/problem.h"

#include <algorithm>

namespace wirelay::ctrl {

std::vector<std::string> lines_of(const std::vector<Problem>& problems, size_t most) {
  const size_t shown = std::min(problems.size(), most);
  std::vector<std::string> lines;
  for (size_t i = 0; i < shown; ++i) {
    lines.push_back(problems[i].path + ": " + problems[i].message);
  }
  if (const size_t rest = problems.size() - shown; rest != 0) {
    lines.push_back("and " + std::string(enough(problems) ? "at least " : "") +
                    std::to_string(rest) + " more problems");
  }
  return lines;
}

std::string Place::text() const {
  if (around_ == nullptr) return std::string(name_);
  std::string text = around_->text();
  if (index_ != kNone) return text + '[' + std::to_string(index_) + ']';
  if (!text.empty()) text += '.';
  return text.append(name_);
}

}  // namespace wirelay::ctrl

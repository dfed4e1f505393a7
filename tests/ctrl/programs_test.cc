// Protects how the programs are built: at random addresses, with pointers into libraries that are
// fixed before main() and read-only from then on, a stack that is no code, and copies that are
// checked where the room for them is known.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <cppunit/extensions/HelperMacros.h>
#include <elf.h>

namespace wirelay {

namespace {

/// An executable file, as elf(5) has it.
class Program {
 public:
  explicit Program(const char* path) : name_(path) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    CPPUNIT_ASSERT_MESSAGE(name_, bytes_.size() > sizeof head_);
    std::memcpy(&head_, bytes_.data(), sizeof head_);
  }
  [[nodiscard]] bool is_independent() const { return head_.e_type == ET_DYN; }
  [[nodiscard]] const Elf64_Phdr* segment(uint32_t type) const {
    for (uint16_t i = 0; i < head_.e_phnum; ++i) {
      const auto* found = at<Elf64_Phdr>(head_.e_phoff + i * sizeof(Elf64_Phdr));
      if (found->p_type == type) return found;
    }
    return nullptr;
  }
  /// The value of an entry of the dynamic section, or 0.
  [[nodiscard]] uint64_t dynamic(int64_t tag) const {
    const Elf64_Phdr* section = segment(PT_DYNAMIC);
    if (section == nullptr) return 0;
    for (uint64_t done = 0; done < section->p_filesz; done += sizeof(Elf64_Dyn)) {
      const auto* entry = at<Elf64_Dyn>(section->p_offset + done);
      if (entry->d_tag == tag) return entry->d_un.d_val;
    }
    return 0;
  }
  /// Names of what it takes from libraries, and of what it gives them.
  [[nodiscard]] std::vector<std::string_view> symbols() const {
    std::vector<std::string_view> names;
    for (uint16_t i = 0; i < head_.e_shnum; ++i) {
      const auto* table = section(i);
      if (table->sh_type != SHT_DYNSYM) continue;
      const uint64_t texts = section(table->sh_link)->sh_offset;
      for (uint64_t done = 0; done < table->sh_size; done += sizeof(Elf64_Sym)) {
        names.emplace_back(at<char>(texts + at<Elf64_Sym>(table->sh_offset + done)->st_name));
      }
    }
    return names;
  }

 private:
  [[nodiscard]] const Elf64_Shdr* section(uint32_t i) const {
    return at<Elf64_Shdr>(head_.e_shoff + i * sizeof(Elf64_Shdr));
  }
  template <typename T>
  const T* at(uint64_t offset) const {
    CPPUNIT_ASSERT_MESSAGE(name_, offset + sizeof(T) <= bytes_.size());
    return reinterpret_cast<const T*>(bytes_.data() + offset);
  }
  std::string name_, bytes_;
  Elf64_Ehdr head_{};
};

class ProgramsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProgramsTest);
  CPPUNIT_TEST(links);
  CPPUNIT_TEST(checked_copies);
  CPPUNIT_TEST_SUITE_END();

 public:
  void links() {
    for (const char* path : {RELAYD, RELAYCTL, RELAYGEN}) {
      const Program program(path);
      CPPUNIT_ASSERT_MESSAGE(path, program.is_independent());
      CPPUNIT_ASSERT_MESSAGE(path, (program.dynamic(DT_FLAGS_1) & DF_1_PIE) != 0);
      CPPUNIT_ASSERT_MESSAGE(path, (program.dynamic(DT_FLAGS_1) & DF_1_NOW) != 0);
      CPPUNIT_ASSERT_MESSAGE(path, program.segment(PT_GNU_RELRO) != nullptr);
      CPPUNIT_ASSERT_MESSAGE(path, program.segment(PT_GNU_STACK) != nullptr);
      CPPUNIT_ASSERT_MESSAGE(path, (program.segment(PT_GNU_STACK)->p_flags & PF_X) == 0);
    }
  }

  /// The compiler leaves out the check where it can prove that it holds, but not everywhere.
  void checked_copies() {
    for (const char* path : {RELAYD, RELAYCTL, RELAYGEN}) {
      const auto is_checked = [](std::string_view name) {
        return name.starts_with("__") && name.ends_with("_chk");
      };
      CPPUNIT_ASSERT_MESSAGE(
          path, !FORTIFIED || std::ranges::any_of(Program(path).symbols(), is_checked));
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProgramsTest);

}  // namespace
}  // namespace wirelay

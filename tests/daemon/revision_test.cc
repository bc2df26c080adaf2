// SPDX-License-Identifier: Apache-2.0
#include "daemon/revision.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace tocsin::daemon {
namespace {

namespace fs = std::filesystem;

const std::string kCommit = "0123456789abcdef0123456789abcdef01234567";

// A folder that goes away with the test.
class Tree {
 public:
  Tree() : root_(fs::temp_directory_path() / ("tocsin-revision-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~Tree() { fs::remove_all(root_); }

  std::string write(const std::string& name, const std::string& text) {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

TEST_CASE("a clone is of the commit that its branch is at") {
  Tree tree;
  const std::string rules = tree.write("clone/rules/a.yaml", "");
  tree.write("clone/.git/HEAD", "ref: refs/heads/main\n");
  CHECK(revision_of(rules) == "");
  SUBCASE("as a file") {
    tree.write("clone/.git/refs/heads/main", kCommit + "\n");
    CHECK(revision_of(rules) == kCommit);
  }
  SUBCASE("packed") {
    tree.write("clone/.git/packed-refs",
               "# pack-refs with: peeled fully-peeled sorted\n"
               "ffffffffffffffffffffffffffffffffffffffff refs/heads/dev\n" +
                   kCommit + " refs/heads/main\n");
    CHECK(revision_of(rules) == kCommit);
  }
  SUBCASE("or not on a branch") {
    tree.write("clone/.git/HEAD", kCommit + "\n");
    CHECK(revision_of(rules) == kCommit);
  }
}

TEST_CASE("a worktree has its own commit, wherever symbolic links lead to it from") {
  Tree tree;
  tree.write("git/.worktrees/abc/rules/a.yaml", "");
  tree.write("git/.worktrees/abc/.git", "gitdir: ../../.git/worktrees/abc\n");
  tree.write("git/.git/worktrees/abc/HEAD", kCommit + "\n");
  tree.write("git/.git/worktrees/abc/commondir", "../..\n");
  fs::create_directory_symlink(tree.root() / "git/.worktrees/abc", tree.root() / "git/current");
  CHECK(revision_of((tree.root() / "git/current/rules/a.yaml").string()) == kCommit);
}

TEST_CASE("a file .revision says it where Git is not, and the nearer one counts") {
  Tree tree;
  const std::string rules = tree.write("etc/rules/a.yaml", "");
  tree.write("etc/.revision", "v12\n");
  CHECK(revision_of(rules) == "v12");
  tree.write("etc/rules/.revision", "v13 of today\nmore\n");
  CHECK(revision_of(rules) == "v13 of today");
  tree.write("etc/.git/HEAD", kCommit + "\n");
  CHECK(revision_of(rules) == "v13 of today");
}

TEST_CASE("a file outside of Git, or no file, has no revision") {
  Tree tree;
  CHECK(revision_of(tree.write("a.yaml", "")) == "");
  CHECK(revision_of((tree.root() / "nowhere.yaml").string()) == "");
}

TEST_CASE("a work tree is being checked out while Git holds its lock") {
  Tree tree;
  const std::string rules = tree.write("clone/rules/a.yaml", "");
  tree.write("clone/.git/HEAD", kCommit);
  CHECK(!is_being_checked_out(rules));
  tree.write("clone/.git/index.lock", "");
  CHECK(is_being_checked_out(rules));
}

}  // namespace
}  // namespace tocsin::daemon

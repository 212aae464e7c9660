// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <stdlib.h>
#include <string>

namespace teetee::net {

/// For tests: a folder of its own, removed with what is in it.
class TestFolder {
  public:
    TestFolder() : path_(::mkdtemp(name_.data())) {}
    ~TestFolder() { std::filesystem::remove_all(path_); }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string name_ = "/tmp/teetee-test-" + std::string(6, 'X');
    std::string path_;
};

}  // namespace teetee::net

// SPDX-License-Identifier: Apache-2.0
#include "cli/page_folder.hpp"

#include <filesystem>
#include <vector>

#include "cli/dev_network.hpp"

namespace teetee::cli {

std::string page_folder(const std::string& named, PagePlaces places) {
    if (named == "none") return {};
    if (!named.empty()) return std::filesystem::absolute(named);
    const std::string program = program_path();
    const std::string folder = program.substr(0, program.rfind('/'));
    std::vector<std::string> tried = {folder + "/../share/teetee/web"};
    if (places == PagePlaces::built_or_installed)
        tried.insert(tried.begin(), folder + "/../../web/dist");
    for (const std::string& place : tried) {
        std::error_code failed;
        if (std::filesystem::exists(place + "/index.html", failed))
            return std::filesystem::path(place).lexically_normal().string();
    }
    return {};
}

}  // namespace teetee::cli

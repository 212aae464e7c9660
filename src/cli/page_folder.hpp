// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace teetee::cli {

enum class PagePlaces {
    /// share/teetee/web beside the program's bin, where releases have it.
    installed,
    /// Before that web/dist of the source tree that the program was built in.
    built_or_installed,
};

/// The folder of the web app, absolute: as --web names it, else of `places` the first that has one.
/// Empty for "none", and where there is none.
std::string page_folder(const std::string& named, PagePlaces places);

}  // namespace teetee::cli

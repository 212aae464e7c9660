// SPDX-License-Identifier: Apache-2.0
// A classic script, so that the theme stands before the first paint; app/shell/theme.ts goes on.
(function () {
  var theme = "system";
  try {
    theme = localStorage.getItem("teetee.theme") || "system";
  } catch {
    // Storage is closed to the page: the system's theme it is.
  }
  var dark =
    theme === "dark" || (theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  document.documentElement.classList.toggle("dark", dark);
})();

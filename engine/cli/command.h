// SPDX-License-Identifier: Apache-2.0
//
// The subcommands of `tocsin`: one file each. add_x() declares its options; what it returns runs it
// and gives the process' exit status.
#pragma once

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace tocsin::cli {

inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

using Run = std::function<int()>;

Run add_run(CLI::App& app);
Run add_demo(CLI::App& app);
Run add_simulate(CLI::App& app);
Run add_check(CLI::App& app);
Run add_test(CLI::App& app);
Run add_diff(CLI::App& app);
Run add_explain(CLI::App& app);
Run add_query(CLI::App& app);
Run add_replay(CLI::App& app);
Run add_promqltest(CLI::App& app);
Run add_schema(CLI::App& app);
Run add_stat(CLI::App& app);

// Whether standard output is a terminal: colours only then.
bool is_terminal();

}  // namespace tocsin::cli

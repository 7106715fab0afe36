"""A test that is a bash script of the tree. sh_test lives in different places in different Bazels; this needs none."""

def _script_test_impl(ctx):
    wrapper = ctx.actions.declare_file(ctx.label.name + ".sh")
    lines = ["#!/bin/bash", "set -euo pipefail"]
    for tool, variable in ctx.attr.tools.items():
        path = tool.files_to_run.executable.short_path
        lines.append('export {}="$PWD/{}"'.format(variable, path))
    lines.append('exec bash "{}" "$@"'.format(ctx.file.script.short_path))
    ctx.actions.write(wrapper, "\n".join(lines) + "\n", is_executable = True)
    runfiles = ctx.runfiles(files = [ctx.file.script] + ctx.files.data + ctx.files.tools)
    return [DefaultInfo(executable = wrapper, runfiles = runfiles)]

script_test = rule(
    implementation = _script_test_impl,
    doc = "Runs `script` in the root of the runfiles, with the path of each tool in an environment variable.",
    attrs = {
        "script": attr.label(mandatory = True, allow_single_file = [".sh"]),
        "data": attr.label_list(allow_files = True),
        "tools": attr.label_keyed_string_dict(
            doc = "programs, each with the variable that gets its path",
            cfg = "target",
        ),
    },
    test = True,
)

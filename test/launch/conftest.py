# SPDX-License-Identifier: Apache-2.0
"""Launch files, read and expanded wherever ROS's own launch is there."""

import pytest


@pytest.fixture
def description(request):
    """The description that the module's launch file returns."""
    pytest.importorskip('launch_ros')  # a package `launch` on PyPI is something else
    sources = pytest.importorskip('launch.launch_description_sources')
    from launch import LaunchContext
    source = sources.PythonLaunchDescriptionSource(str(request.module.FILE))
    return source.get_launch_description(LaunchContext())


@pytest.fixture
def expand():
    """The node actions that arguments lead to, by executable."""
    def found_in(description, **arguments):
        from launch import LaunchContext
        from launch_ros.actions import Node
        context = LaunchContext()
        context.launch_configurations.update(arguments)
        found, waiting = {}, list(description.entities)
        while waiting:
            entity = waiting.pop(0)
            if isinstance(entity, Node):
                found[entity.node_executable] = entity
            else:
                waiting = [*(entity.visit(context) or []), *waiting]
        return found
    return found_in

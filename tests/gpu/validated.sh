#!/bin/sh
# Runs the test of kernels (the argument) under Vulkan's validation layer, which must have nothing to say.
[ -n "$(find /usr/share/vulkan/explicit_layer.d -name '*validation*' 2>/dev/null)" ] || exit 77
output=$(VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation "$1" --every=200)
status=$?
echo "$output" | grep -v ' passed, '
case $output in
*Validation*) exit 1 ;;
esac
exit $status

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut's pre-udev hook (sourced, so nothing here may exit): the gate, before udev.
/usr/libexec/sekimori/early-gate

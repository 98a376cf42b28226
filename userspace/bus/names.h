/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and paths of Sekimori on D-Bus, version 1; docs/dbus.md tells what stands behind them. */
#pragma once

#define BUS_NAME "org.sekimori.Sekimori1"
#define BUS_ROOT_PATH "/org/sekimori/Sekimori1"
#define BUS_DEVICE_PATH_PREFIX BUS_ROOT_PATH "/devices/"
#define BUS_VOLUME_PATH_PREFIX BUS_ROOT_PATH "/volumes/"
#define BUS_MEDIUM_PATH_PREFIX BUS_ROOT_PATH "/media/"
#define BUS_REQUEST_PATH_PREFIX BUS_ROOT_PATH "/requests/"
#define BUS_GRANT_PATH_PREFIX BUS_ROOT_PATH "/grants/"

#define BUS_INTERFACE_MANAGER BUS_NAME ".Manager"
#define BUS_INTERFACE_DEVICE BUS_NAME ".Device"
#define BUS_INTERFACE_VOLUME BUS_NAME ".Volume"
#define BUS_INTERFACE_MEDIUM BUS_NAME ".Medium"
#define BUS_INTERFACE_EXCEPTIONS BUS_NAME ".Exceptions"
#define BUS_INTERFACE_REQUEST BUS_NAME ".Request"
#define BUS_INTERFACE_GRANT BUS_NAME ".Grant"

/* A rule forbids it: "CODE: sentence", the code of core/reason.h. */
#define BUS_ERROR_REFUSED BUS_NAME ".Error.Refused"
#define BUS_ERROR_NOT_FOUND BUS_NAME ".Error.NotFound"

/* In the introspection of a method that changes something: the polkit action that it needs. */
#define BUS_ANNOTATION_ACTION BUS_NAME ".Action"

#define BUS_INTERFACE_OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

/* Where the system bus listens when DBUS_SYSTEM_BUS_ADDRESS does not say otherwise. */
#define BUS_SYSTEM_ADDRESS "unix:path=/run/dbus/system_bus_socket"

// SPDX-License-Identifier: GPL-2.0-or-later
// What a file of rules costs in a program that keeps them by libusbguard, as USBGuard's daemon does:
// prints the kilobytes of resident memory that reading it added.
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <usbguard/Rule.hpp>

static long resident_kib()
{
	std::ifstream file("/proc/self/statm");
	long size = 0, resident = 0;

	file >> size >> resident;
	return resident * 4;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	std::vector<std::shared_ptr<usbguard::Rule>> rules;
	rules.push_back(std::make_shared<usbguard::Rule>(usbguard::Rule::fromString("allow")));
	long before = resident_kib();
	std::ifstream file(argv[1]);
	for (std::string line; std::getline(file, line);)
		rules.push_back(std::make_shared<usbguard::Rule>(usbguard::Rule::fromString(line)));
	std::printf("%ld\n", resident_kib() - before);
	return 0;
}

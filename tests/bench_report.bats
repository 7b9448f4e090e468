#!/usr/bin/env bats
# bench_report.bats - what the report of the bench makes of results.

bats_require_minimum_version 1.5.0

setup() {
	report=${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}/bench/report
	cd "$BATS_TEST_TMPDIR" || return 1
}

# WORK DOCS VERSIONS CLIENTS PEER UNIT MEDIAN
line() {
	printf '{"work":"%s","docs":"%s","versions":%s,"clients":%s,' \
		"$1" "$2" "$3" "$4"
	printf '"peer":"%s","unit":"%s","n":3,"median":%s,"p99":2e6,"mean":1}\n' \
		"$5" "$6" "$7"
}

@test "the table has a value in its unit, and how many times ours it is" {
	{
		line publish generated 0 1 pakhus ns 1250000
		line publish generated 0 1 sqlite-full ns 2500000
		line publish generated 0 1 service ns 812
		line bytes corpus 960 1 pakhus bytes 1399808
	} >results
	run -0 "$report" results
	echo "$output"
	[ "${lines[1]}" = 'publish: generated, 0 versions, 1 client' ]
	[ "${lines[2]}" = "    pakhus                  1.25 ms    2.00 ms                 3" ]
	[ "${lines[3]}" = "    sqlite-full             2.50 ms    2.00 ms      2.00       3" ]
	[ "${lines[4]}" = "    service                  812 ns    2.00 ms      0.00       3" ]
	[ "${lines[6]}" = "    pakhus                  1.40 MB    2.00 MB                 3" ]
}

@test "a target is met at its limit, and not beyond" {
	{
		line publish generated 0 1 pakhus ns 1000
		line publish generated 0 1 sqlite-full ns 1000
		line publish generated 0 1 service ns 2000
		line publish-processes generated 0 8 pakhus per_s 200
		line publish-processes generated 0 8 sqlite-full per_s 100
		line import generated 0 1 pakhus per_s 99
		line import generated 0 1 service per_s 100
		line open small 1000000 1 pakhus cpu_ns 1000001
	} >results
	run -0 "$report" results
	echo "$output"
	[[ $output == *'at most 1 x SQLite WAL FULL | 1 | met |'* ]]
	[[ $output == *'at most 0.35 x service-package | 0.5 | not met |'* ]]
	[[ $output == *'8 processes | at least 2 x SQLite WAL FULL | 2 | met |'* ]]
	[[ $output == *'8 threads | at least 2 x SQLite WAL FULL | - | not measured |'* ]]
	[[ $output == *'at least 1 x service-package | 0.99 | not met |'* ]]
	[[ $output == *'at most 1 ms of processor time | 1 | not met |'* ]]
	[[ $output == *$'\n2 of 17 targets met, 12 not measured' ]]
}

@test "a target for a million versions is not met by fewer" {
	line open small 10000 1 pakhus cpu_ns 1 >results
	run -0 "$report" results
	[[ $output == *'0 of 17 targets met, 17 not measured' ]]
}

@test "of two results of the same the later one counts" {
	{
		line get-memory generated 40 1 pakhus bytes 9000000
		line get-memory generated 40 1 pakhus bytes 7000000
	} >results
	run -0 "$report" results
	[[ $output == *'at most 8 MB beside the texts | 7 | met |'* ]]
	[ "$(grep -c '^    pakhus' <<<"$output")" -eq 1 ]
}

@test "the chart shows what was measured, the longest bar for the most" {
	{
		line import generated 0 1 pakhus per_s 100
		line import generated 0 1 service per_s 50
		line import generated 0 1 floor per_s 500
	} >results
	run -0 "$report" -c chart.svg results
	[ "$(grep -c '<rect class="p".* width="196.0"' chart.svg)" -eq 1 ]
	[ "$(grep -c '<rect class="b".* width="98.0"' chart.svg)" -eq 1 ]
	[ "$(grep -c '<rect' chart.svg)" -eq 3 ]
	grep -q '>Bulk import .*>more is better<' chart.svg
	grep -q '>100/s<' chart.svg
	[ "$(tail -n 1 chart.svg)" = '</svg>' ]
}

@test "a line that is no result is named" {
	{
		line import generated 0 1 pakhus per_s 100
		echo '{"work":"import"}'
	} >results
	run -1 "$report" results
	[ "$output" = 'results: line 2 is not a result' ]
	run -1 "$report" nowhere
	[ "$output" = 'nowhere: No such file or directory' ]
	run -2 "$report"
}

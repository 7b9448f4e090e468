#!/usr/bin/env bats
# bench_report.bats - what the report of the bench makes of results.

bats_require_minimum_version 1.5.0

setup() {
	report=${AIDS:-$BATS_TEST_DIRNAME/../build/cc/tests}/bench/report
	cd "$BATS_TEST_TMPDIR" || return 1
}

# WORK DOCS VERSIONS CLIENTS PEER UNIT MEDIAN [N]
line() {
	printf '{"work":"%s","docs":"%s","versions":%s,"clients":%s,' \
		"$1" "$2" "$3" "$4"
	printf '"peer":"%s","unit":"%s","n":%s,"median":%s,"p99":2e6,"mean":1}\n' \
		"$5" "$6" "${8-3}" "$7"
}

@test "the table has a value in its unit, and how much better ours is" {
	{
		line publish generated 0 1 pakhus ns 1250000 100
		line publish generated 0 1 sqlite-full ns 2500000 99
		line publish generated 0 1 service ns 812
		line import generated 0 1 pakhus per_s 100
		line import generated 0 1 service per_s 50
		line bytes corpus 960 1 pakhus bytes 1399808
		line open small 20 8 pakhus cpu_ns 1
	} >results
	run -0 "$report" results
	echo "$output"
	while read -r wanted; do
		grep -qx " *$wanted" <<<"$output"
	done <<-end
		floor .*no registry
		publish: 75 KB documents, store empty at the start, 1 client
		pakhus                  1.25 ms    2.00 ms                   100
		sqlite-full             2.50 ms          -           2 x      99
		service                  812 ns          -     0.00065 x       3
		import: 75 KB documents, store empty at the start, 1 client
		service                  50.0/s          -           2 x       3
		bytes of the whole store: real packages, 960 versions in the store
		pakhus                  1.40 MB          -                     3
		open in .* processor time: 300-byte .*, 20 versions .*, 8 clients
	end
	[[ $output != *'SHORT RUN'* ]]
}

@test "what machine it was comes first, and before that a short run" {
	{
		echo '{"machine":"a blue one","short":false}'
		line bytes corpus 960 1 pakhus bytes 1
	} >results
	run -0 "$report" results
	[ "${lines[0]}" = 'a blue one' ]
	{
		echo '{"machine":"a red one","short":true}'
		line open small 1000000 1 pakhus cpu_ns 1000001
	} >results
	run -0 "$report" results
	[[ ${lines[0]} == 'A SHORT RUN: '* ]]
	[ "${lines[1]}" = 'a red one' ]
	[[ $output == *' 1  not met (short run)'* ]]
	echo '{"machine":3}' >results
	run -1 "$report" results
	[ "$output" = 'results: line 1 is not a result' ]
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
	[[ $output == *'8 processes    at least 2 x SQLite WAL FULL                2  met'* ]]
	[[ $output == *$'\n2 of 17 targets met, 12 not measured' ]]
	run -0 "$report" -m results
	echo "$output"
	[ "${lines[1]}" = '|---|---|---:|---|' ]
	[ "${#lines[@]}" -eq 19 ]
	[[ $output == *'at most 1 x SQLite WAL FULL | 1 | met |'* ]]
	[[ $output == *'at most 0.35 x service-package | 0.5 | not met |'* ]]
	[[ $output == *'8 processes | at least 2 x SQLite WAL FULL | 2 | met |'* ]]
	[[ $output == *'8 threads | at least 2 x SQLite WAL FULL | - | not measured |'* ]]
	[[ $output == *'at least 1 x service-package | 0.99 | not met |'* ]]
	[[ $output == *'at most 1 ms of processor time | 1 | not met |'* ]]
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
	[[ $output == *'at most 8 MB beside the texts '*' 7  met'* ]]
	[ "$(grep -c '^    pakhus' <<<"$output")" -eq 1 ]
}

@test "the chart shows what was measured, the longest bar for the most" {
	{
		line import generated 0 1 pakhus per_s 100
		line import generated 0 1 service per_s 50
		line import generated 0 1 floor per_s 500
		line import generated 0 1 pakhus-one-thread per_s 20
	} >results
	run -0 "$report" -c chart.svg results
	[ "$(grep -c '<rect class="p".* width="138.0"' chart.svg)" -eq 1 ]
	[ "$(grep -c '<rect class="p".* width="27.6"' chart.svg)" -eq 1 ]
	[ "$(grep -c '<rect class="b".* width="69.0"' chart.svg)" -eq 1 ]
	[ "$(grep -c '<rect' chart.svg)" -eq 4 ]
	grep -q '>Bulk import .*>more is better<' chart.svg
	grep -q '>100/s<tspan class="n" dx="4"></tspan><' chart.svg
	grep -q '>50.0/s<tspan class="n" dx="4">· 2 x</tspan><' chart.svg
	[ "$(tail -n 1 chart.svg)" = '</svg>' ]
}

@test "the chart says how many packages the list was of" {
	line list-page small 1000000 1 pakhus ns 1 >results
	line list-page small 50000 1 pakhus ns 1 >fewer
	run -0 "$report" -c chart.svg results
	grep -q '>First page of 50,000 packages ' chart.svg
	run -0 "$report" -c chart.svg fewer
	grep -q '>First page of 2,500 packages ' chart.svg
}

@test "a line that is no result is named" {
	{
		line import generated 0 1 pakhus per_s 100
		echo '{"work":"import"}'
	} >results
	run -1 "$report" results
	[ "$output" = 'results: line 2 is not a result' ]
	: >results
	run -1 "$report" results
	[ "$output" = 'results: no results' ]
	run -1 "$report" nowhere
	[ "$output" = 'nowhere: No such file or directory' ]
	run -2 "$report"
}

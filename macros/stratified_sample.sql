{% macro stratified_sample(relation, stratum, key, columns, n_per_stratum, seed, n_rows, n_strata=16) -%}
    {#- The `n_per_stratum` rows of each stratum whose key hashes lowest; all rows when it is none.

        relation        what to sample
        stratum         column; its distinct values are the strata
        key             column that is close to unique; rows that agree in it are ranked by `columns`
        columns         columns of the result
        n_per_stratum   rows per stratum, or none for every row
        seed            another seed draws another sample
        n_rows          SQL expression: about how many rows there are; only speed depends on it
        n_strata        about how many strata there are; only speed depends on it

        Deterministic in data and seed, at any number of threads: the rank is hash(key) xor-ed with
        the seed, then the row itself. One streaming scan: a threshold on the rank lets a small share
        of the rows through, four times what is needed were all strata of equal size, while every
        stratum is counted. Only strata that come out short of candidates are scanned again, without
        the threshold, so that it decides nothing but speed.
        DuckDB promises no stable hash() across versions: a test with frozen values guards the lock.
    -#}
    {%- set list = columns | join(', ') -%}
    {%- if n_per_stratum is none %}
    select {{ list }} from {{ relation }}
    {%- else %}
    {%- set seed_bits = local_md5('sealtune sample ' ~ seed)[:16] %}
    {%- set rank = "xor(hash(" ~ key ~ "), ('0x" ~ seed_bits ~ "')::ubigint)" %}
    with threshold as (

        select
            (least(4.0 * {{ n_strata }} * ({{ n_per_stratum }} + 8) / greatest({{ n_rows }}, 1), 1.0)
                * 18446744073709549568)::ubigint as value

    ),

    marked as (

        select
            {{ stratum }} as stratum,
            case
                when {{ rank }} <= (select value from threshold)
                then struct_pack(rank := {{ rank }}, {% for column in columns -%}
                    {{ column }} := {{ column }}{{ ', ' if not loop.last }}
                {%- endfor %})
            end as candidate
        from {{ relation }}

    ),

    tallied as materialized (

        select
            stratum,
            count(*) as n_rows,
            coalesce(list(candidate) filter (candidate is not null), []) as candidates
        from marked
        group by all

    ),

    drawn as (

        select unnest(candidates, recursive := true)
        from tallied
        where len(candidates) >= least({{ n_per_stratum }}, n_rows)

    ),

    short as (

        select stratum from tallied where len(candidates) < least({{ n_per_stratum }}, n_rows)

    ),

    drawn_again as (

        select {{ rank }} as rank, {{ list }}
        from {{ relation }} as every_row
        where exists (select 1 from short where short.stratum is not distinct from every_row.{{ stratum }})

    ),

    ranked as (

        select * from drawn
        union all by name
        select * from drawn_again

    )

    select {{ list }}
    from ranked
    qualify row_number() over (partition by {{ stratum }} order by rank, {{ list }}) <= {{ n_per_stratum }}
    {%- endif %}
{%- endmacro %}

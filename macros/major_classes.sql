{% macro major_classes(relation, label, min_share=0, top_k=none) -%}
    {#- The rows of a relation whose class is no minor one, with a column `classes`: the names of all
        that are left, in order, for a prompt to list.

        min_share   least share of the rows that a class must have, 0 to 1
        top_k       how many of the largest classes are kept; none for all; of equals the first by name
    -#}
    with sizes as (

        select {{ label }} as class, count(*) as n_rows from {{ relation }} group by all

    ),

    kept as (

        select class
        from sizes
        {#- an integer division of counts would be none #}
        where n_rows >= {{ min_share }} * (select sum(sizes.n_rows) from sizes)
        qualify row_number() over (order by n_rows desc, class) <= {{ top_k or 1000000 }}

    )

    select *, (select string_agg(kept.class, ', ' order by kept.class) from kept) as classes
    from {{ relation }}
    where {{ label }} in (select kept.class from kept)
{%- endmacro %}

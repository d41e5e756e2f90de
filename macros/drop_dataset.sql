{% macro drop_dataset(dataset) -%}
    {#- Drop every relation of a dataset from the warehouse, after `sealtune shred`, and what models
        answered to its examples.

        DuckDB gives the blocks free and overwrites them when it needs them; until then they lie in
        the file, encrypted under the vault key. -#}
    {%- if execute -%}
        {%- set dropped = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.fqn[1] == dataset -%}
            {%- set relation = load_relation(api.Relation.create(node.database, node.schema, node.alias)) -%}
            {%- if relation -%}
                {%- do adapter.drop_relation(relation) -%}
                {%- do dropped.append(node.alias) -%}
            {%- endif -%}
        {%- endfor -%}
        {#- what noise was drawn, which no model is -#}
        {%- for name in [dataset ~ '_noise_draws', dataset ~ '_noise_counts'] -%}
            {%- set relation = load_relation(api.Relation.create(target.database, target.schema, name)) -%}
            {%- if relation -%}{%- do adapter.drop_relation(relation) -%}{%- endif -%}
        {%- endfor -%}
        {%- if not dropped -%}
            {%- do exceptions.raise_compiler_error('there is no relation of ' ~ dataset ~ ' in the warehouse; its name is that of its folder in models/') -%}
        {%- endif -%}
        {%- for name in [
            'predictions', 'paid_answers', 'version_lines', 'version_words', 'dataset_versions',
            'trained_lines', 'trained_words', 'trained_policies',
        ] -%}
            {%- set answers = load_relation(api.Relation.create(target.database, target.schema, name)) -%}
            {%- if answers -%}
                {%- do run_query("delete from " ~ answers ~ " where dataset = '" ~ dataset ~ "'") -%}
            {%- endif -%}
        {%- endfor -%}
        {#- dbt rolls back what an operation leaves open -#}
        {%- call statement('commit', auto_begin=false) -%}commit{%- endcall -%}
        {%- do print('dropped ' ~ dropped | length ~ ' relations of ' ~ dataset) -%}
    {%- endif -%}
{%- endmacro %}

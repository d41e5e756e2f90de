with drawn as (

    {{ stratified_sample(
        ref('stg_canaries'),
        stratum='answer',
        key='chat_id',
        columns=[
            'answer', 'question',
        ],
        n_per_stratum=var('sample_per_class'),
        seed=var('sample_seed'),
    ) }}

),

final as (

    {{ with_row_ids(
        'drawn',
        dataset='canaries',
        columns=[
            'answer', 'question',
        ],
        subject=none,
    ) }}

)

select * from final
